using System.Runtime.CompilerServices;
using System.Text;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>One model call: its stream, and what the stream brought. Ended or broken off, it leaves usage, cost and a span in the state.</summary>
internal sealed class ModelStep : IAsyncDisposable
{
    private readonly TurnState _state;
    private readonly TimeProvider _clock;
    private readonly ChatOptions _options;
    private readonly IReadOnlyList<ChatMessage> _messages;
    private readonly int _known;
    private readonly DateTimeOffset _startedAt;
    private readonly CancellationToken _cancellationToken;
    private readonly ReasoningCollector _reasoning = new();
    private readonly UsageDetails _usage = new();
    private readonly bool _joint;
    private readonly StringBuilder? _held;
    private TurnSpan? _span;
    private IAsyncEnumerator<ChatResponseUpdate>? _stream;
    private string _model;
    private string? _credential;
    private bool _hasText;
    private bool _closed;

    /// <param name="state">The turn.</param>
    /// <param name="clock">For the span.</param>
    /// <param name="messages">The whole prompt.</param>
    /// <param name="known">How many of them earlier spans hold.</param>
    /// <param name="options">Options of this call.</param>
    /// <param name="cancellationToken">The turn's token.</param>
    public ModelStep(TurnState state, TimeProvider clock, IReadOnlyList<ChatMessage> messages, int known, ChatOptions options, CancellationToken cancellationToken)
    {
        (_state, _clock, _messages, _known, _options, _cancellationToken) = (state, clock, messages, known, options, cancellationToken);
        _model = state.ModelId;
        _startedAt = clock.GetUtcNow();
        _joint = state.Text.Length > 0;
        _held = state.Format is null ? null : new();
        (state.TailStart, state.TailCompaction) = (state.Text.Length, null);
    }

    /// <summary>Calls of the step, in the model's order.</summary>
    public List<FunctionCallContent> Calls { get; } = [];

    /// <summary>Why the model stopped.</summary>
    public ChatFinishReason? FinishReason { get; private set; }

    /// <summary>What the step said, without the joint before it.</summary>
    public string Text => _held?.ToString() ?? _state.Text.ToString(_state.TailStart, _state.Text.Length - _state.TailStart);

    /// <summary>The summary that the provider made of everything before; null when it made none.</summary>
    public CompactionContent? Compaction { get; private set; }

    /// <summary>Signed reasoning of the step, and the summary before it, in their stored form.</summary>
    public string? Reasoning => SignedReasoning.ToText(_reasoning.Blocks, Compaction);

    /// <summary>The update <see cref="MoveNextAsync"/> moved to.</summary>
    public ChatResponseUpdate Current => _stream!.Current;

    /// <summary>Moves to the next update. Runs once a token, hence the pooled state machine.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> MoveNextAsync()
    {
        try
        {
            _stream ??= _state.Model.GetStreamingResponseAsync(_messages, _options, _cancellationToken).GetAsyncEnumerator(_cancellationToken);
            if (!await _stream.MoveNextAsync()) return false;
        }
        catch (OperationCanceledException fault) when (!_cancellationToken.IsCancellationRequested)
        {
            Close(ModelErrors.Unavailable);
            throw new ModelException(ModelErrors.Unavailable, "The model did not answer in time.", inner: fault);
        }
        catch (Exception fault)
        {
            Close(fault is ModelException known ? known.Code : fault is OperationCanceledException ? null : "INTERNAL_ERROR");
            throw;
        }
        if (_stream.Current.FinishReason is { } reason) FinishReason = reason;
        if (CredentialMark.SourceOf(_stream.Current) is { } source) _credential = source;
        return true;
    }

    /// <summary>Keeps text back: the turn has a format, and what a client was told cannot be taken back.</summary>
    public void Hold(string delta) => _held!.Append(delta);

    /// <summary>The joint that has to stand before the text that comes now: this step's first, after a tool step with text before it.</summary>
    public TokenEvent? BeginText()
    {
        if (_hasText) return null;
        _hasText = true;
        _state.AnsweredBy = _model;
        if (!_joint) return null;
        _state.Text.Append(TurnLoop.Joint);
        _state.TailStart = _state.Text.Length;
        return new(TurnLoop.Joint);
    }

    /// <summary>Adds to the text of the turn.</summary>
    public TokenEvent Say(string delta)
    {
        _state.Text.Append(delta);
        return new(delta);
    }

    /// <summary>Keeps what is no text. Returns the event it causes, if any.</summary>
    public TurnEvent? Collect(AIContent content)
    {
        switch (content)
        {
            case TextReasoningContent reasoning: _reasoning.Add(reasoning); break;
            case FunctionCallContent call: Calls.Add(call); break;
            case UsageContent usage: _usage.Add(usage.Details); break;
            case ModelFallbackContent fallback: return Switch(fallback);
            case CompactionContent compaction: return Compact(compaction);
        }
        return null;
    }

    /// <summary>The stream ended: counts it and writes its span. Throws when the provider filtered the answer.</summary>
    public void Complete()
    {
        var filtered = FinishReason == ChatFinishReason.ContentFilter;
        _state.AnsweredBy = _model;
        _state.TailCompaction = Compaction;
        Close(filtered ? ModelErrors.ContentFiltered : null);
        if (filtered) throw new ModelException(ModelErrors.ContentFiltered, "The provider withheld the answer.");
    }

    /// <summary>Notes in the span why the answer is not taken.</summary>
    public void Refuse(string error) => _span!.Error = error;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close(null);
        return _stream?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private ClientEvent Compact(CompactionContent compaction)
    {
        Compaction = compaction;
        return ClientEvent.Compaction(compaction.BeforeTokens, compaction.AfterTokens);
    }

    private ClientEvent Switch(ModelFallbackContent fallback)
    {
        _model = fallback.To;
        _state.AnsweredBy = _model;
        return new("model_fallback", JsonText.Element(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("from", fallback.From);
            writer.WriteString("to", fallback.To);
            if (fallback.Status is { } status) writer.WriteNumber("status", status);
            else writer.WriteNull("status");
            writer.WriteEndObject();
        }));
    }

    private void Close(string? error)
    {
        if (_closed) return;
        _closed = true;
        var usage = ModelUsage.Of(_usage);
        var cost = usage == default && error is not null ? null
            : _state.PriceOf(_model)?.CostOf(usage, ModelSettings.Of(_state.Options).Anthropic.CacheTtl == "1h");
        _state.Usage += usage;
        if (cost is not null) _state.CostUsd = (_state.CostUsd ?? 0) + cost;
        _span = new()
        {
            Id = Guid.CreateVersion7(_startedAt),
            Kind = "llm",
            Name = _model,
            StartedAt = _startedAt.UtcDateTime,
            EndedAt = _clock.GetUtcNow().UtcDateTime,
            Input = ModelTrace.Input(_messages, _known),
            Output = ModelTrace.Output(Text, Calls, FinishReason),
            Error = error,
            Model = new(_model, _state.Options.Temperature, _state.Options.MaxOutputTokens, usage, cost, _known) { CredentialSource = _credential },
        };
        _state.Spans.Add(_span);
    }
}
