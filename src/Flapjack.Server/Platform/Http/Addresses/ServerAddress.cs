using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Flapjack.Server.Platform.Http.Addresses;

/// <summary>The address the server listens on, as a person on the same machine types it.</summary>
internal static class ServerAddress
{
    public const string Default = "http://localhost:3000";

    /// <summary>From the settings; null while the system still has to choose the port.</summary>
    public static string? Configured(IConfiguration configuration)
    {
        if (configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()) return null;
        var address = BindingAddress.Parse((configuration["urls"] ?? Default).Split(';')[0]);
        return address.Port == 0 ? null : Typed(address);
    }

    /// <summary>From the running server.</summary>
    public static string Bound(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address ? Typed(BindingAddress.Parse(address)) : Default;

    private static string Typed(BindingAddress address) =>
        address.IsUnixPipe || address.IsNamedPipe ? Default : $"{address.Scheme}://{(address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host)}:{address.Port}";
}
