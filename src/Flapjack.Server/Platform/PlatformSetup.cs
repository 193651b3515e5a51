using Flapjack.Sandboxes;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Sandboxing;
using Flapjack.Server.Platform.Scheduling;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Telemetry;

namespace Flapjack.Server.Platform;

/// <summary>What every feature stands on, and the order in which a request passes through it.</summary>
internal static class PlatformSetup
{
    public static void AddPlatform(this WebApplicationBuilder builder, ServerSettings settings)
    {
        UseShippedDefaults(builder);
        if (string.IsNullOrEmpty(builder.Configuration["urls"])) builder.WebHost.UseUrls("http://localhost:3000");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyLimit.Messages;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownGrace + TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<RunningRequests>();
        builder.Services.AddSingleton<Draining>();
        builder.Services.AddSingleton<ServerMetrics>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Draining>());
        builder.Services.AddHostedService<StartupLine>();
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(ServerSecrets.Load(settings));
        builder.Services.AddSingleton<SecretBox>();
        builder.Services.AddSingleton<RequestLimits>();
        builder.Services.AddSingleton<EventStreams>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<EventStreams>());
        builder.Services.AddSingleton<Revocations>();
        builder.Services.AddHostedService<RevocationWatch>();
        builder.Services.AddSingleton<EgressGuard>();
        builder.Services.AddSingleton<OutboundHttp>();
        builder.Services.AddSingleton<SandboxHost>(_ => new());
        builder.Services.AddHostedService<SandboxCheck>();
        builder.Services.AddSingleton<ClientAddress>();
        builder.Services.AddSingleton<IdempotencyStore>();
        builder.Services.AddSingleton<IHousekeepingTask, IdempotencySweep>();
        builder.Services.AddSingleton<IHousekeepingTask, LimitsSweep>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSignals(settings);
        builder.Services.AddScheduling(settings);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = WireJson.Responses.PropertyNamingPolicy;
            json.SerializerOptions.NumberHandling = WireJson.Responses.NumberHandling;
            json.SerializerOptions.Encoder = WireJson.Responses.Encoder;
            foreach (var converter in WireJson.Responses.Converters) json.SerializerOptions.Converters.Add(converter);
        });
    }

    public static void UsePlatform(this WebApplication app)
    {
        app.Use(app.Services.GetRequiredService<RunningRequests>().Middleware);
        app.Use(RequestIds.Middleware);
        app.UseMiddleware<CrossOrigin>();
        app.UseMiddleware<ErrorResponses>();
        app.UseRouting();
        app.Use(ExactPaths.Middleware);
        app.UseMiddleware<AccessMiddleware>();
        app.UseMiddleware<IdempotencyMiddleware>();
    }

    // The server may be started from any directory; what it ships with lies beside its assembly and yields to everything else.
    private static void UseShippedDefaults(WebApplicationBuilder builder)
    {
        var shipped = new Microsoft.Extensions.Configuration.Json.JsonConfigurationSource { Path = Path.Combine(AppContext.BaseDirectory, "appsettings.json"), Optional = true };
        shipped.ResolveFileProvider();
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, shipped);
    }
}
