namespace Flapjack.Server.Platform.Idempotency;

/// <summary>Set as a feature of the request by an endpoint whose answer is the event stream of a turn, as soon as the turn is open. It is stored before the first byte leaves.</summary>
/// <remarks>An endpoint that opens its turn through <see cref="Storage.IWriter"/> puts <see cref="IdempotencyClaim.TurnStatement"/> into the same unit as well.</remarks>
internal sealed record IdempotentTurn(Guid TurnId);

/// <summary>Gives the events of a turn again to a request that repeats the one which opened it.</summary>
internal interface IIdempotentReplay
{
    /// <summary>False when the answer cannot be given yet: the caller gets 409.</summary>
    Task<bool> ReplayAsync(Http.ClientConnection client, ReadOnlyMemory<byte> body, Guid turnId);
}

/// <summary>Marks an endpoint that answers with a turn: it goes on hearing when its client leaves. Every other endpoint runs to its end, so that a client which gave up waiting finds the answer.</summary>
/// <param name="Protocol">Key of the <see cref="IIdempotentReplay"/> that speaks as the endpoint does; null = the one without a key.</param>
internal sealed record AnswersWithTurn(string? Protocol = null);

/// <summary>Marks an endpoint that gives something to whoever comes: strangers without a session are told apart by their address, so that a key two of them chose gives neither what is the other's.</summary>
internal sealed record KeyedByAddress
{
    public static readonly KeyedByAddress Mark = new();
}

/// <summary>Marks an endpoint that takes keys of callers nobody knows. What it refuses them is not kept, so that they cannot fill the table with it.</summary>
internal sealed record IdempotentForStrangers
{
    public static readonly IdempotentForStrangers Mark = new();
}

/// <summary>Settles before anything of a stranger's request is read or written whether it is let in.</summary>
/// <param name="Admit">Throws the refusal; says how large the body may be.</param>
internal sealed record AdmitsStrangers(Func<HttpContext, Task<long>> Admit);

internal static class AnswersWithTurnConvention
{
    public static TBuilder IdempotentForStrangers<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Idempotency.IdempotentForStrangers.Mark);

    public static TBuilder AdmitsStrangers<TBuilder>(this TBuilder builder, Func<HttpContext, Task<long>> admit) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AdmitsStrangers(admit));

    public static TBuilder KeyedByAddress<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Idempotency.KeyedByAddress.Mark);

    public static TBuilder AnswersWithTurn<TBuilder>(this TBuilder builder, string? protocol = null) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AnswersWithTurn(protocol));
}
