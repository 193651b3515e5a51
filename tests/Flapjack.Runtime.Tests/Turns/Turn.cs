using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

/// <summary>A turn under test: script, tools and limits in, events and journal out. Every run checks what holds for all turns.</summary>
internal sealed class Turn(params Answer[] answers)
{
    private TurnState? _state;

    public ScriptedModel Model { get; } = new(answers);
    public FakeJournal Journal { get; } = new();
    public List<TurnEvent> Events { get; } = [];
    public List<(string Tool, Exception Fault)> Faults { get; } = [];

    public IReadOnlyList<TurnTool> Tools { get; init; } = [];
    public IReadOnlyList<string> ClientTools { get; init; } = [];
    public ToolProfile? Profile { get; init; }
    public int MaxToolCalls { get; init; } = 10;
    public string EarlierText { get; init; } = "";
    public int EarlierRounds { get; init; }
    public IReadOnlyList<ChatMessage> Prompt { get; init; } = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "Hello")];
    public int TracedMessages { get; init; }
    public InterruptedStep? Interrupted { get; init; }
    public Func<string, ModelPrice?> PriceOf { get; init; } = _ => null;
    public AnswerFormat? Format { get; init; }
    /// <summary>Text the turn is expected to end with though no event told it.</summary>
    public string Untold { get; init; } = "";
    public TimeProvider Clock { get; init; } = TimeProvider.System;
    public Action<TurnEvent> OnEvent { get; set; } = _ => { };

    public TurnState State => _state ??= Build();

    public string Tokens => string.Concat(Events.OfType<TokenEvent>().Select(token => token.Delta));

    /// <summary>Events as short words, for comparing whole streams.</summary>
    public string Stream => string.Join(" ", Events.Select(Word));

    public Task<Turn> RunAsync() => RunUntilAsync(TestContext.Current.CancellationToken);

    /// <summary>Runs to the end. A turn that hangs fails its test instead of holding the others.</summary>
    public Task<Turn> RunUntilAsync(CancellationToken cancellationToken) => DriveAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);

    public ToolResultEvent ResultOf(string id) => Events.OfType<ToolResultEvent>().Single(result => result.Id == id);

    private async Task<Turn> DriveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var happened in new TurnLoop(Clock).RunAsync(State, cancellationToken))
            {
                if (happened is ToolResultEvent result) Journal.Results.ShouldContain(recorded => recorded.CallId == result.Id);
                if (happened is ToolCallEvent call) (Journal.Steps.LastOrDefault() ?? Interrupted!.Step).Calls.ShouldContain(recorded => recorded.Id == call.Id);
                Events.Add(happened);
                OnEvent(happened);
            }
        }
        finally
        {
            State.Text.ToString().ShouldBe(EarlierText + Tokens + Untold);
        }
        return this;
    }

    private TurnState Build() => new()
    {
        Model = Model,
        ModelId = "test-1",
        Options = new() { Temperature = 0.5f, MaxOutputTokens = 100 },
        Prompt = Prompt,
        TracedMessages = TracedMessages,
        Tools = new([.. ClientTools.Select(name => new FakeTool(name, (_, _, _) => throw new InvalidOperationException()).AsDeclarationOnly())], Tools, Profile),
        Caller = new(Guid.Empty, null, null, null, null),
        Journal = Journal,
        MaxToolCalls = MaxToolCalls,
        PriceOf = PriceOf,
        Format = Format,
        Text = new(EarlierText),
        ClientRounds = EarlierRounds,
        Interrupted = Interrupted,
        ToolFaulted = (tool, fault) => Faults.Add((tool, fault)),
    };

    private static string Word(TurnEvent happened) => happened switch
    {
        TokenEvent token => $"'{token.Delta.Replace("\n", "|", StringComparison.Ordinal)}'",
        ToolCallEvent call => $"call:{call.Id}",
        ToolExecutingEvent executing => $"exec:{executing.Id}",
        ToolResultEvent { IsError: true } result => $"error:{result.Id}",
        ToolResultEvent result => $"result:{result.Id}",
        CustomEvent custom => $"custom:{custom.Kind}",
        ClientEvent client => $"client:{client.Kind}",
        AuthChallengeEvent challenge => $"auth:{challenge.ToolCallId}",
        ProfileSwitchProposalEvent proposal => $"proposal:{proposal.Target}",
        _ => "?",
    };
}
