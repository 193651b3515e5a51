using System.Net.Sockets;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Files;

/// <summary>Fetches a file from an address that a user gave, under the network rules. Redirects are followed by asking again, so every address is checked.</summary>
internal sealed class FileDownload(EgressGuard guard, FileStore files, TimeProvider time) : IDisposable
{
    private const int MaxRedirects = 5;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly HttpMessageInvoker _http = new(guard.NewHandler());

    /// <summary>Stores what the address answers. 422 for a refused address, 502 when it does not answer well; what holds for files holds for this one too.</summary>
    /// <param name="incoming">What is known of the file; without a name it gets the address's, without a type the answer's.</param>
    /// <param name="address">The address.</param>
    /// <param name="named">Whether the sender gave the name.</param>
    /// <param name="field">The request field, for refusals.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    public async Task<StoredFile> FetchAsync(IncomingFile incoming, string address, bool named, string field, CancellationToken cancellationToken)
    {
        if (await guard.RefusalAsync(address, cancellationToken) is { } refusal) throw ApiException.Invalid(field, refusal);
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var response = await FollowAsync(new Uri(address), field, ending.Token);
            if (response.Content.Headers.ContentLength > FileStore.MaxBytes) throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"{field}: a file may have at most {FileStore.MaxBytes} bytes");
            var told = incoming with
            {
                Name = named ? incoming.Name : FileName.Of(response.RequestMessage!.RequestUri!, incoming.Name),
                DeclaredType = incoming.DeclaredType ?? response.Content.Headers.ContentType?.MediaType,
            };
            await using var content = await response.Content.ReadAsStreamAsync(ending.Token);
            return await files.StoreAsync(told, content, field, ending.Token);
        }
        catch (HttpRequestException exception) when (exception.InnerException is EgressRefusedException refused)
        {
            throw ApiException.Invalid(field, refused.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(field, $"the address did not answer within {Timeout.TotalSeconds} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
        {
            throw Failed(field, "the address cannot be reached");
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> FollowAsync(Uri address, string field, CancellationToken cancellationToken)
    {
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            var response = await _http.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode) return response;
            var (status, next) = ((int)response.StatusCode, response.Headers.Location);
            response.Dispose();
            if (status is < 300 or > 399 || next is null) throw Failed(field, $"the address answered with status {status}");
            address = new Uri(address, next);
            if (address.Scheme is not ("http" or "https")) throw Failed(field, "the address redirects to something that is no web address");
        }
        throw Failed(field, "the address redirects too often");
    }

    private static ApiException Failed(string field, string why) => new(502, "UPSTREAM_ERROR", $"{field}: {why}");
}
