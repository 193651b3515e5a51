using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform;

/// <summary>What every feature stands on, and the order in which a request passes through it.</summary>
internal static class PlatformSetup
{
    public static void AddPlatform(this WebApplicationBuilder builder, ServerSettings settings)
    {
        if (string.IsNullOrEmpty(builder.Configuration["urls"])) builder.WebHost.UseUrls("http://localhost:3000");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyLimit.Messages;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownGrace + TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(ServerSecrets.Load(settings));
        builder.Services.AddSingleton<SecretBox>();
        builder.Services.AddSingleton<RequestLimits>();
        builder.Services.AddSingleton<EgressGuard>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = WireJson.Responses.PropertyNamingPolicy;
            json.SerializerOptions.Encoder = WireJson.Responses.Encoder;
            foreach (var converter in WireJson.Responses.Converters) json.SerializerOptions.Converters.Add(converter);
        });
    }

    public static void UsePlatform(this WebApplication app)
    {
        app.Use(RequestIds.Middleware);
        app.UseMiddleware<ErrorResponses>();
        app.UseRouting();
        app.Use(ExactPaths.Middleware);
        app.UseMiddleware<AccessMiddleware>();
    }
}
