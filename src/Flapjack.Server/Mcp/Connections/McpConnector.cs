using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Secrets;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>Opens sessions with servers, over whatever they speak.</summary>
internal sealed class McpConnector(OutboundHttp outbound, SecretBox secrets, AccessTokens tokens, ServerPrograms programs, TimeProvider time)
{
    /// <summary>For everything until the session stands, or until a listing is there.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public async Task<McpConnection> OpenAsync(ServerAccess access, Action toolsChanged, CancellationToken cancellationToken)
    {
        var credentials = McpCredentials.Open(access.Credentials, secrets, access.OrgId, access.Id);
        return access.Transport == McpTransports.Stdio
            ? await OpenProgramAsync(access, credentials, toolsChanged, cancellationToken)
            : await OpenHttpAsync(access, credentials, toolsChanged, cancellationToken);
    }

    private async Task<McpConnection> OpenHttpAsync(ServerAccess access, McpCredentials credentials, Action toolsChanged, CancellationToken cancellationToken)
    {
#pragma warning disable RS0030 // The client library asks for one; its connections are those of the guarded pool.
        var http = new HttpClient(new McpHttpHandler(access, credentials, tokens, new InboundBudget(time), outbound.Handler())) { Timeout = Timeout.InfiniteTimeSpan };
#pragma warning restore RS0030
        try
        {
            var transport = new HttpClientTransport(new()
            {
                Endpoint = access.Url!,
                Name = access.Id.ToString(),
                TransportMode = access.Transport == McpTransports.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
                ConnectionTimeout = Patience,
            }, http);
            return new(await McpClient.CreateAsync(transport, Options(toolsChanged), cancellationToken: cancellationToken), null, http);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            http.Dispose();
            throw exception as McpServerException ?? new McpServerException(McpFault.Of(exception), exception);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    private async Task<McpConnection> OpenProgramAsync(ServerAccess access, McpCredentials credentials, Action toolsChanged, CancellationToken cancellationToken)
    {
        var program = await programs.StartAsync(access, credentials.Env);
        try
        {
            var transport = new StreamClientTransport(program.Input, new BoundedStream(program.Output, MessageEnd.Line, new InboundBudget(time)));
            return new(await McpClient.CreateAsync(transport, Options(toolsChanged), cancellationToken: cancellationToken), program, null);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var fault = McpFault.Of(exception) is { Code: not McpFault.Connect } other ? other : await program.EndedAsync();
            await program.DisposeAsync();
            throw new McpServerException(fault, exception);
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    private McpClientOptions Options(Action toolsChanged) => new()
    {
        ClientInfo = new() { Name = "flapjack", Version = typeof(McpConnector).Assembly.GetName().Version!.ToString(3) },
        InitializationTimeout = Patience,
        TimeProvider = time,
        Handlers = new()
        {
            // Nobody sits here to fill in forms. Sampling is not offered at all: a server that asks all the same is refused.
            ElicitationHandler = static (_, _) => new(new ElicitResult { Action = "decline" }),
            NotificationHandlers = [new(NotificationMethods.ToolListChangedNotification, (_, _) =>
            {
                toolsChanged();
                return default;
            })],
        },
    };
}
