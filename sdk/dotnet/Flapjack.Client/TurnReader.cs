using System.Text.Json.Nodes;

namespace Flapjack.Client;

/// <summary>How a stream is opened: the call, and whether it only attaches.</summary>
internal sealed record Opening(Call Call, bool IsAttachment);

/// <summary>
/// The events of one turn, over broken connections and dead servers:
/// <list type="number">
/// <item>Open the stream, again under the same idempotency key until it answers, so that a message is never sent twice.</item>
/// <item>Pass its events on. When it breaks, come back with the id of the last event: nothing is missing, nothing comes twice.</item>
/// <item>When the server does not know that stream any more, ask for the turn from its beginning and say so with <see cref="RestartEvent"/>.</item>
/// <item>After <see cref="RequiresActionEvent"/>, run the tools, bring the results and begin at 1.</item>
/// </list>
/// </summary>
internal sealed class TurnReader(Transport transport, Guid threadId, TurnOptions options, Opening opening, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly ThreadCalls _thread = new(transport, threadId);
    private readonly Dictionary<string, ToolResultRequest> _results = [];
    private readonly Queue<FlapjackEvent> _made = new();
    private readonly TurnText _text = new();
    private Opening _opening = opening;
    private StreamConnection? _connection;
    private FlapjackEvent? _last;
    private bool _hasBegun;
    private int _failures, _shutdowns;

    /// <summary>Behind this event the first stream begins.</summary>
    public string? LastEventId { get; set; }

    /// <summary>Whether the server goes on with the turn without a listener, and after its own end.</summary>
    public bool Survives { get; init; } = true;

    /// <summary>Nothing more comes.</summary>
    public bool IsOver { get; private set; }

    public Guid TurnId { get; private set; }

    /// <summary>Whether the turn waits for results of this client.</summary>
    public bool IsWaiting => _last is RequiresActionEvent;

    /// <summary>Null behind the last event.</summary>
    public async Task<FlapjackEvent?> NextAsync()
    {
        while (true)
        {
            if (_made.TryDequeue(out var made)) return Passing(made);
            if (IsOver) return null;
            try
            {
                if (_last is RequiresActionEvent asked) await AnswerAsync(asked).ConfigureAwait(false);
                if (_connection is null) await ConnectAsync().ConfigureAwait(false);
                else if (await TakeAsync(await _connection.NextAsync().ConfigureAwait(false)).ConfigureAwait(false) is { } @event) return Passing(@event);
            }
            catch (FlapjackException fault)
            {
                await DropAsync().ConfigureAwait(false);
                _failures++;
                if (fault.Code == "SERVER_SHUTDOWN")
                {
                    // What this stream sent before is no progress when it is told again.
                    (LastEventId, _hasBegun, _failures) = (null, true, Math.Max(_failures, ++_shutdowns));
                }
                await transport.PauseAsync(_failures, fault, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public ValueTask DisposeAsync() => DropAsync();

    private FlapjackEvent Passing(FlapjackEvent @event)
    {
        if (!@event.IsLast) return @event;
        _last = @event;
        IsOver = @event is not RequiresActionEvent || options.OnToolCall is null;
        return @event;
    }

    private async Task ConnectAsync()
    {
        var response = await OpenAsync().ConfigureAwait(false);
        if (response is null)
        {
            if (_hasBegun) await ReadMessagesAsync().ConfigureAwait(false);
            else IsOver = true;
            return;
        }
        _connection = await StreamConnection.OpenAsync(response, transport.Options, cancellationToken).ConfigureAwait(false);
        // Opened from its beginning although some of it was passed on.
        if (_hasBegun && LastEventId is null) _made.Enqueue(_text.Restart());
    }

    /// <summary>Null when the server has nothing to attach to.</summary>
    private async Task<HttpResponseMessage?> OpenAsync()
    {
        if (LastEventId is not null)
        {
            try
            {
                return await transport.SendAsync(_thread.Attach(LastEventId), cancellationToken).ConfigureAwait(false);
            }
            catch (FlapjackException fault) when (fault.Status == System.Net.HttpStatusCode.NotFound && TurnId != Guid.Empty)
            {
                // Before any event, it was the caller who named one that the server does not know.
                LastEventId = null;
            }
        }
        var response = await transport.SendAsync(_opening.Call, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != System.Net.HttpStatusCode.NoContent) return response;
        response.Dispose();
        return null;
    }

    /// <summary>Notes how far the turn is. Null when nothing of the event is new.</summary>
    private async Task<FlapjackEvent?> TakeAsync(FlapjackEvent @event)
    {
        if (_hasBegun && _opening.IsAttachment && @event.TurnId != TurnId)
        {
            await DropAsync().ConfigureAwait(false);
            await ReadMessagesAsync().ConfigureAwait(false);
            return null;
        }
        if (Survives && @event is ErrorEvent { Code: "SERVER_SHUTDOWN" } shutdown) throw new FlapjackException(shutdown.Code, shutdown.Detail, System.Net.HttpStatusCode.ServiceUnavailable);
        (_failures, _hasBegun, TurnId, LastEventId) = (0, true, @event.TurnId, @event.Id);
        if (@event.IsLast) await DropAsync().ConfigureAwait(false);
        return @event is TokenEvent token ? _text.Take(token) : @event;
    }

    /// <summary>The end of a turn that can no longer be attached to, from the messages of the thread.</summary>
    private async Task ReadMessagesAsync()
    {
        var page = await transport.JsonAsync<MessagePage>(_thread.NewestMessages(), cancellationToken).ConfigureAwait(false);
        var answers = page.Messages.Where(message => message.Role == "assistant" && message.TurnId == TurnId).Reverse().ToList();
        var last = answers.LastOrDefault() ?? throw new FlapjackException("STREAM_LOST", $"the stream of turn {TurnId} is gone and the thread has no answer of it");
        var content = string.Join("\n\n", answers.Select(message => message.Content).Where(text => text.Length > 0));
        _made.Enqueue(_text.RestartEmpty());
        _made.Enqueue(new TokenEvent(content));
        _made.Enqueue(last.Error is { } code ? new ErrorEvent(code, null) : new DoneEvent(content, last.Id, last.Stopped, null, null));
    }

    private async Task AnswerAsync(RequiresActionEvent asked)
    {
        var results = await Task.WhenAll(asked.ToolCalls.Select(RunAsync)).ConfigureAwait(false);
        foreach (var result in results) _results[result.ToolCallId!] = result;
        _opening = new(_thread.Send(new MessageRequest { ToolResults = results }), false);
        (_last, LastEventId, _hasBegun) = (null, null, false);
        _text.Settle();
    }

    private async Task<ToolResultRequest> RunAsync(ToolCall call)
    {
        // A restarted stream asks again for what was run already.
        if (_results.TryGetValue(call.Id, out var known)) return known;
        try
        {
            return new() { ToolCallId = call.Id, Result = await options.OnToolCall!(call, cancellationToken).ConfigureAwait(false) ?? JsonValue.Create("") };
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            return new() { ToolCallId = call.Id, Result = fault.Message, IsError = true };
        }
    }

    private async ValueTask DropAsync()
    {
        if (_connection is not { } connection) return;
        _connection = null;
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
