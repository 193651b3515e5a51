using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Http.Addresses;

/// <summary>The address people reach the server at.</summary>
internal static class PublicAddress
{
    /// <summary>Without a trailing slash.</summary>
    public static string Of(HttpRequest request, ServerSettings settings) =>
        settings.PublicUrl?.ToString().TrimEnd('/') ?? $"{request.Scheme}://{request.Host}";

    public static string SignupUrl(HttpRequest request, ServerSettings settings) =>
        settings.Demo.SignupUrl?.ToString() ?? Of(request, settings) + "/signup";
}
