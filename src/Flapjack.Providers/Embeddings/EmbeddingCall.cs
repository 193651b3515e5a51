using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;

namespace Flapjack.Providers.Embeddings;

/// <summary>One request to <c>/embeddings</c>, which OpenAI and everybody compatible with it speak alike.</summary>
internal sealed class EmbeddingCall(HttpClient http, TimeProvider time, ProviderOptions options)
{
    private static readonly Uri Vendor = new("https://api.openai.com/v1");

    public async Task<EmbeddingAnswer> RunAsync(ModelEndpoint endpoint, IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(endpoint.ApiKey) && endpoint.Kind is ProviderKinds.OpenAI)
        {
            throw new ModelException(ModelErrors.AuthFailed, $"No credential is configured for the provider '{endpoint.Provider}'.");
        }
        using var request = Request(endpoint, texts);
        using var watch = new IdleWatch(time, options.IdleTimeout, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token);
            if (!response.IsSuccessStatusCode)
            {
                throw await ModelFaults.OfAnswerAsync(response, endpoint, time, watch.Token);
            }
            await using var body = new CappedStream(await response.Content.ReadAsStreamAsync(watch.Token), watch, options.MaxAnswerBytes);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: watch.Token);
            return Read(json.RootElement, texts.Count);
        }
        catch (Exception fault)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw ModelFaults.Of(fault);
        }
    }

    private static HttpRequestMessage Request(ModelEndpoint endpoint, IReadOnlyList<string> texts)
    {
        var root = (endpoint.BaseUrl ?? Vendor).AbsoluteUri.TrimEnd('/');
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(root + "/embeddings"))
        {
            Content = PooledJsonContent.Create(json =>
            {
                json.WriteStartObject();
                json.WriteString("model", endpoint.ModelId);
                json.WriteString("encoding_format", "float");
                json.WriteStartArray("input");
                foreach (var text in texts)
                {
                    json.WriteStringValue(text);
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }),
        };
        if (!string.IsNullOrEmpty(endpoint.ApiKey))
        {
            request.Headers.Authorization = new("Bearer", endpoint.ApiKey);
        }
        foreach (var (name, value) in endpoint.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    // Servers may answer out of order, which is what "index" is for.
    private static EmbeddingAnswer Read(JsonElement answer, int count)
    {
        var vectors = new float[count][];
        var position = 0;
        foreach (var item in answer.GetProperty("data").EnumerateArray())
        {
            var index = item.TryGetProperty("index", out var given) && given.TryGetInt32(out var number) ? number : position;
            if (index < 0 || index >= count || item.GetProperty("embedding") is not { ValueKind: JsonValueKind.Array } values)
            {
                throw ModelFaults.Malformed();
            }
            var vector = new float[values.GetArrayLength()];
            var at = 0;
            foreach (var value in values.EnumerateArray())
            {
                vector[at++] = value.GetSingle();
            }
            vectors[index] = UnitVector.Of(vector);
            position++;
        }
        if (Array.Exists(vectors, vector => vector is null || vector.Length == 0 || vector.Length != vectors[0].Length))
        {
            throw ModelFaults.Malformed();
        }
        var tokens = answer.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object && usage.TryGetProperty("total_tokens", out var total) && total.TryGetInt64(out var used) ? used : 0;
        return new(vectors, tokens);
    }

    /// <summary>An answer that grows beyond its limit, or stays silent, ends.</summary>
    private sealed class CappedStream(Stream inner, IdleWatch watch, long limit) : Stream
    {
        private long _total;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            watch.Renew();
            var read = await inner.ReadAsync(buffer, watch.Token);
            return (_total += read) <= limit ? read : throw new ModelException(ModelErrors.Error, "The provider's answer is larger than this server accepts.");
        }

        public override void Flush() => throw new NotSupportedException();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
