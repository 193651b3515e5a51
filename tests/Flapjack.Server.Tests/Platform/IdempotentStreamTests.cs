using System.Text;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Platform;

/// <summary>What the middleware does for endpoints that answer with a turn's events; the endpoint is played here.</summary>
public sealed class IdempotentStreamTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly string _key = Guid.CreateVersion7().ToString();
    private readonly Guid _turn = Guid.CreateVersion7();
    private int _executed;

    [Fact]
    public async Task A_stream_is_not_held_back_and_a_repeat_goes_to_the_replay()
    {
        var first = await SendAsync(StreamTurn);
        first.Text.ShouldBe("event: token\n\n");
        first.FirstByteBeforeEnd.ShouldBeTrue();
        var again = await SendAsync(StreamTurn);
        again.Text.ShouldBe($"\"replay of {_turn}\"");
        again.Context.Response.Headers["Idempotency-Replayed"].ToString().ShouldBe("true");
        _executed.ShouldBe(1);
    }

    [Fact]
    public async Task While_the_replay_has_nothing_to_give_it_is_409()
    {
        await SendAsync(StreamTurn);
        (await Should.ThrowAsync<ApiException>(SendAsync(StreamTurn, replays: false))).Code.ShouldBe("IDEMPOTENCY_IN_PROGRESS");
    }

    [Fact]
    public async Task A_failure_before_the_turn_gives_the_key_back()
    {
        await Should.ThrowAsync<ApiException>(SendAsync(_ => throw ApiException.Unavailable("later")));
        (await SendAsync(StreamTurn)).Text.ShouldBe("event: token\n\n");
    }

    [Fact]
    public async Task A_fault_after_the_turn_was_opened_keeps_it()
    {
        await Should.ThrowAsync<IOException>(SendAsync(context =>
        {
            context.Features.Set(new IdempotentTurn(_turn));
            throw new IOException("the connection broke");
        }));
        (await SendAsync(StreamTurn)).Text.ShouldBe($"\"replay of {_turn}\"");
    }

    [Fact]
    public async Task A_turn_whose_answer_is_a_failure_of_the_server_gives_the_key_back()
    {
        await Should.ThrowAsync<ApiException>(SendAsync(context =>
        {
            context.Features.Set(new IdempotentTurn(_turn));
            throw new ApiException(502, "MODEL_UNAVAILABLE");
        }));
        (await SendAsync(StreamTurn)).Text.ShouldBe("event: token\n\n");
    }

    [Fact]
    public async Task A_turn_written_with_its_own_unit_is_known_before_the_first_byte()
    {
        var store = server.Services.GetRequiredService<IdempotencyStore>();
        await SendAsync(async context =>
        {
            await store.NoteTurnAsync(context.Features.GetRequiredFeature<IdempotencyClaim>(), _turn);
            (await Should.ThrowAsync<ApiException>(SendAsync(StreamTurn, replays: false))).Status.ShouldBe(409);
            await StreamTurn(context);
        });
        _executed.ShouldBe(1);
    }

    [Fact]
    public async Task Only_an_endpoint_with_a_turn_hears_its_client_leave()
    {
        var heard = new List<bool>();
        RequestDelegate listen = context =>
        {
            heard.Add(context.RequestAborted.CanBeCanceled);
            return Task.CompletedTask;
        };
        await SendAsync(listen, withTurn: false);
        await SendAsync(listen, withTurn: true, key: _key + "2");
        heard.ShouldBe([false, true]);
    }

    private async Task StreamTurn(HttpContext context)
    {
        _executed++;
        context.Features.Set(new IdempotentTurn(_turn));
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        await context.Response.Body.WriteAsync("event: token\n\n"u8.ToArray());
        context.Items["before end"] = context.Items["client"] is MemoryStream { Length: > 0 };
    }

    private async Task<(HttpContext Context, string Text, bool FirstByteBeforeEnd)> SendAsync(RequestDelegate endpoint, bool replays = true, bool withTurn = true, string? key = null)
    {
        using var scope = server.Services.CreateScope();
        using var leaves = new CancellationTokenSource();
        var client = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = new WithReplay(scope.ServiceProvider, replays), RequestAborted = leaves.Token };
        scope.ServiceProvider.GetRequiredService<CallerContext>().Enter(new Caller { Kind = CallerKind.Key, OrgId = Guid.Empty, KeyId = Guid.Empty }, Guid.Empty);
        context.Request.Method = "POST";
        context.Request.Path = "/api/threads/1/messages";
        context.Request.Headers["Idempotency-Key"] = key ?? _key;
        context.Request.Body = new MemoryStream("{}"u8.ToArray());
        context.Response.Body = client;
        context.Items["client"] = client;
        context.SetEndpoint(new Endpoint(endpoint, new EndpointMetadataCollection(withTurn ? [new AnswersWithTurn()] : []), "played"));
        await new IdempotencyMiddleware(endpoint, server.Services.GetRequiredService<IdempotencyStore>()).InvokeAsync(context);
        await context.Response.CompleteAsync();
        return (context, Encoding.UTF8.GetString(client.ToArray()), context.Items["before end"] is true);
    }

    private sealed class WithReplay(IServiceProvider inner, bool replays) : IServiceProvider, IIdempotentReplay
    {
        public object? GetService(Type serviceType) => serviceType == typeof(IIdempotentReplay) ? this : inner.GetService(serviceType);

        public async Task<bool> ReplayAsync(ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId)
        {
            if (replays) await client.SendJsonAsync(json => json.WriteStringValue($"replay of {turnId}"));
            return replays;
        }
    }
}
