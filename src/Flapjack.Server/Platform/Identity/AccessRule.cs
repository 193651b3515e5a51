namespace Flapjack.Server.Platform.Identity;

/// <summary>Who may call an endpoint. An endpoint without a rule is refused to everybody, so that a forgotten one is found at once.</summary>
/// <param name="Anonymous">No credential is read at all.</param>
/// <param name="UsersOnly">API keys are refused.</param>
/// <param name="Scope">What a restricted key needs; null = any key.</param>
/// <param name="Role">What a user needs.</param>
internal sealed record AccessRule(bool Anonymous, bool UsersOnly, string? Scope, Role Role);

/// <summary>What the demo key gets at an endpoint that the contract marks <c>demo-ok</c>.</summary>
internal sealed record DemoAnswer(Func<HttpContext, Task<IResult>> Answer);

/// <summary>When an endpoint needs no credential. One that is sent must be good, and its caller is counted instead of the address.</summary>
internal sealed record OpenWhen(Func<HttpContext, ValueTask<bool>> Test);

/// <summary>Where an endpoint comes from: <c>doc</c>, <c>chosen</c> or <c>ext</c>. Shown in the OpenAPI document.</summary>
internal sealed record Origin(string Mark);

/// <summary>Marks an endpoint that concerns the user alone. It serves users who belong to no organisation, too.</summary>
internal sealed record NeedsNoOrg
{
    public static readonly NeedsNoOrg Mark = new();
}

/// <summary>Marks an endpoint for everybody whose requests are not counted: probes are answered however busy their address is.</summary>
internal sealed record Uncounted
{
    public static readonly Uncounted Mark = new();
}

internal static class AccessRules
{
    /// <summary>Keys with the scope and users with the role; <c>both</c> in the contract's table.</summary>
    public static TBuilder Access<TBuilder>(this TBuilder builder, string? scope, Role role = Role.Viewer) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRule(false, false, scope, role));

    /// <summary>Users only; <c>jwt</c> in the contract's table.</summary>
    public static TBuilder UsersOnly<TBuilder>(this TBuilder builder, Role role = Role.Viewer) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRule(false, true, null, role));

    /// <summary>The endpoint concerns the user alone: people without any organisation may call it.</summary>
    public static TBuilder NeedsNoOrg<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Identity.NeedsNoOrg.Mark);

    /// <summary>Everybody; <c>none</c> in the contract's table.</summary>
    public static TBuilder Public<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRule(true, false, null, Role.Viewer));

    /// <summary>Requests are not counted.</summary>
    public static TBuilder Uncounted<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Identity.Uncounted.Mark);

    /// <summary>Everybody while something holds, else who the endpoint's rule lets in.</summary>
    public static TBuilder OpenWhen<TBuilder>(this TBuilder builder, Func<HttpContext, ValueTask<bool>> test) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new OpenWhen(test));

    /// <summary>What the demo key is answered; <c>demo-ok</c> in the contract's table.</summary>
    public static TBuilder Demo<TBuilder>(this TBuilder builder, Func<HttpContext, Task<IResult>> answer) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new DemoAnswer(answer));

    /// <summary>What the demo key is answered, when nothing has to be read for it.</summary>
    public static TBuilder Demo<TBuilder>(this TBuilder builder, Func<HttpContext, IResult> answer) where TBuilder : IEndpointConventionBuilder =>
        builder.Demo(context => Task.FromResult(answer(context)));

    /// <summary>Origin mark of the contract.</summary>
    public static TBuilder From<TBuilder>(this TBuilder builder, string mark) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Origin(mark));
}
