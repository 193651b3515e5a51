namespace Flapjack.Server.Platform.Settings;

/// <summary>Everything an operator sets, read once at start. <c>docs/settings.md</c> is its table for people.</summary>
internal sealed record ServerSettings
{
    public required Uri? PublicUrl { get; init; }
    public required string DataDirectory { get; init; }
    public required string ConnectionString { get; init; }
    public required bool UsesPostgres { get; init; }
    public required AuthSettings Auth { get; init; }
    public required BootstrapSettings Bootstrap { get; init; }
    public required DemoSettings Demo { get; init; }
    public required TurnSettings Turns { get; init; }
    public required LimitSettings Limits { get; init; }

    /// <summary>Turns of scheduled tasks that this node begins and that run at a time.</summary>
    public required int MaxRunningTasks { get; init; }

    public required ModelSettingsSection Models { get; init; }

    /// <summary>Whether the OpenAI-compatible API takes catalog models beside agents.</summary>
    public required bool AllowRawModels { get; init; }

    public required KnowledgeSettings Knowledge { get; init; }
    public required SandboxSettings Sandbox { get; init; }
    public required LogSettings Logs { get; init; }
    public required McpSettings Mcp { get; init; }
    public required ChannelSettings Channels { get; init; }
    public required MetricsSettings Metrics { get; init; }
    public required IReadOnlyList<string> CorsOrigins { get; init; }
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    /// <summary>Networks, <c>address/bits</c>.</summary>
    public required IReadOnlyList<string> TrustedProxies { get; init; }

    public required string? MasterKey { get; init; }
    public required string? ToolHmacSecret { get; init; }
    public required OtlpSettings? Otlp { get; init; }
    public required TimeSpan ShutdownGrace { get; init; }

    /// <summary>Reads all settings; throws one <see cref="SettingsException"/> that names every fault.</summary>
    public static ServerSettings Read(IConfiguration configuration)
    {
        var reader = new SettingsReader(configuration);
        var settings = Read(reader);
        return reader.Faults.Count == 0 ? settings : throw new SettingsException(reader.Faults);
    }

    internal static ServerSettings Read(SettingsReader s)
    {
        var data = Path.GetFullPath(s.Text("DataDirectory", "./data")!);
        var connection = s.Text("ConnectionStrings:Flapjack") ?? $"Data Source={Path.Combine(data, "flapjack.db")}";
        return new ServerSettings
        {
            DataDirectory = data,
            ConnectionString = connection,
            UsesPostgres = connection.StartsWith("Host=", StringComparison.OrdinalIgnoreCase) || connection.StartsWith("postgres", StringComparison.OrdinalIgnoreCase),
            PublicUrl = s.Address("Server:PublicUrl"),
            ShutdownGrace = s.Duration("Server:ShutdownGraceSeconds", 25, TimeSpan.FromSeconds, 0, 3600),
            Auth = AuthSettings.Read(s),
            Bootstrap = BootstrapSettings.Read(s),
            Demo = new(s.Flag("Demo:Enabled", true), s.Address("Demo:SignupUrl")),
            Turns = TurnSettings.Read(s),
            Limits = LimitSettings.Read(s),
            MaxRunningTasks = s.Integer("ScheduledTasks:MaxRunning", 10, 1, 1_000),
            Models = ModelSettingsSection.Read(s),
            AllowRawModels = s.Flag("OpenAiCompat:AllowRawModels", false),
            Knowledge = KnowledgeSettings.Read(s),
            Sandbox = SandboxSettings.Read(s),
            Logs = new(s.Integer("Logs:RetentionDays", 30, 0, 3650), s.Flag("Logs:CaptureContent", true)),
            Mcp = McpSettings.Read(s),
            Channels = ChannelSettings.Read(s),
            Metrics = MetricsSettings.Read(s),
            CorsOrigins = s.List("Cors:Origins"),
            AllowedHosts = ReadAllowedHosts(s),
            TrustedProxies = ReadTrustedProxies(s),
            MasterKey = s.Text("Security:MasterKey"),
            ToolHmacSecret = s.Text("TOOL_HMAC_SECRET"),
            Otlp = OtlpSettings.Read(s),
        };
    }

    private static IReadOnlyList<string> ReadTrustedProxies(SettingsReader s)
    {
        var networks = s.List("Server:TrustedProxies").Select(text => System.Net.IPAddress.TryParse(text, out var one) ? $"{one}/{(one.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128)}" : text.Trim()).ToList();
        foreach (var fault in networks.Where(text => !Egress.NetworkRange.TryParse(text, out _))) s.Refuse("Server:TrustedProxies", $"'{fault}' is not an address or a network such as 10.0.0.0/8");
        return [.. networks.Where(text => Egress.NetworkRange.TryParse(text, out _))];
    }

    private static IReadOnlyList<string> ReadAllowedHosts(SettingsReader s)
    {
        var entries = s.List("Network:AllowedHosts");
        foreach (var fault in entries.Select(Egress.AllowedHosts.Fault).OfType<string>()) s.Refuse("Network:AllowedHosts", fault);
        return entries;
    }
}

/// <summary>The list of all keys; a test holds it against <c>docs/settings.md</c>.</summary>
internal static class SettingsTable
{
    public static IReadOnlyList<string> Keys
    {
        get
        {
            var reader = new SettingsReader(new ConfigurationBuilder().Build());
            ServerSettings.Read(reader);
            return reader.Keys;
        }
    }
}

internal sealed class SettingsException(IReadOnlyList<string> faults)
    : Exception("The configuration has faults:" + Environment.NewLine + string.Join(Environment.NewLine, faults.Select(f => "  " + f)))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

internal sealed record AuthSettings(string SignupMode, TimeSpan AccessLifetime, TimeSpan RefreshLifetime, string? KeyPepper, IReadOnlyList<OidcIssuer> Issuers)
{
    public static AuthSettings Read(SettingsReader s) => new(
        s.OneOf("Auth:SignupMode", "invite", "open", "invite", "closed"),
        s.Duration("Auth:Jwt:AccessMinutes", 15, TimeSpan.FromMinutes, 0.05, 1440),
        s.Duration("Auth:Jwt:RefreshDays", 30, TimeSpan.FromDays, 0.01, 3650),
        s.Text("Auth:KeyPepper"),
        OidcIssuer.ReadAll(s));
}

internal sealed record BootstrapSettings(string? Email, string? Password, string? ApiKey, string OrgName)
{
    public static BootstrapSettings Read(SettingsReader s)
    {
        var settings = new BootstrapSettings(s.Text("Bootstrap:Email"), s.Text("Bootstrap:Password"), s.Text("Bootstrap:ApiKey"), s.Text("Bootstrap:OrgName", "Default")!);
        if (settings.Password is { Length: < 10 or > 200 }) s.Refuse("Bootstrap:Password", "must have 10 to 200 characters");
        if (settings.Password is not null && settings.Email is null) s.Refuse("Bootstrap:Email", "is required together with Bootstrap:Password");
        if (settings.Email is { } email && !email.Contains('@', StringComparison.Ordinal)) s.Refuse("Bootstrap:Email", "is not an e-mail address");
        if (settings.ApiKey is { } key && !Identity.ApiKeyFormat.IsLiveKey(key)) s.Refuse("Bootstrap:ApiKey", "must be fj_live_ followed by 64 lower-case hex characters");
        if (settings.OrgName.Length > 200) s.Refuse("Bootstrap:OrgName", "has more than 200 characters");
        return settings;
    }
}

internal sealed record DemoSettings(bool Enabled, Uri? SignupUrl);

/// <summary>Processes that the server starts.</summary>
/// <param name="RequireIsolation">Whether documents stay unread on a host that cannot isolate.</param>
internal sealed record SandboxSettings(bool RequireIsolation)
{
    public static SandboxSettings Read(SettingsReader s) => new(s.Flag("Sandbox:RequireIsolation", false));
}

internal sealed record LogSettings(int RetentionDays, bool CaptureContent);

/// <summary>Where traces are exported to, in OpenTelemetry's own settings.</summary>
internal sealed record OtlpSettings(Uri Endpoint, string Protocol, string? Headers)
{
    public static OtlpSettings? Read(SettingsReader s)
    {
        var endpoint = s.Address("OTEL_EXPORTER_OTLP_ENDPOINT");
        var (protocol, headers) = (s.OneOf("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http/protobuf", "grpc"), s.Text("OTEL_EXPORTER_OTLP_HEADERS"));
        return endpoint is null ? null : new(endpoint, protocol, headers);
    }
}

internal sealed record MetricsSettings(string? Token, IReadOnlyList<string> AllowedNetworks)
{
    public static MetricsSettings Read(SettingsReader s)
    {
        var networks = s.List("Metrics:AllowedNetworks");
        for (var i = 0; i < networks.Count; i++)
        {
            if (!System.Net.IPNetwork.TryParse(networks[i], out _)) s.Refuse($"Metrics:AllowedNetworks:{i}", $"'{networks[i]}' is not a network such as 10.0.0.0/8");
        }
        return new(s.Text("Metrics:Token"), networks);
    }
}

internal sealed record TurnSettings(int MaxToolCalls, int MaxDelegations, TimeSpan Timeout, TimeSpan ActionExpiry, TimeSpan StreamRetention, long StreamRetentionBytes, long HistoryCacheBytes, bool AllowOverrides, TimeSpan LeaseTime, TimeSpan CheckpointTime, TimeSpan StreamStall)
{
    public static TurnSettings Read(SettingsReader s) => new(
        s.Integer("Turns:MaxToolCalls", 10, 1, 100),
        s.Integer("Turns:MaxDelegations", 100, 1, 100_000),
        s.Duration("Turns:TimeoutSeconds", 600, TimeSpan.FromSeconds, 0.1, 86_400),
        s.Duration("Turns:ActionExpiryHours", 24, TimeSpan.FromHours, 0.0001, 8_760),
        s.Duration("Turns:StreamRetentionMinutes", 10, TimeSpan.FromMinutes, 0, 1_440),
        s.Integer("Turns:StreamRetentionMegabytes", 32, 0, 65_536) * 1_048_576L,
        s.Integer("Turns:HistoryCacheMegabytes", 32, 0, 65_536) * 1_048_576L,
        s.Flag("Turns:AllowOverrides", true),
        s.Duration("Turns:LeaseSeconds", 30, TimeSpan.FromSeconds, 1, 600),
        s.Duration("Turns:CheckpointSeconds", 2, TimeSpan.FromSeconds, 0.1, 3_600),
        s.Duration("Turns:StreamStallSeconds", 30, TimeSpan.FromSeconds, 0, 86_400));
}

internal sealed record LimitSettings(int RequestsPerMinute, int MessagesPerMinute, int LoginFailures, int PublicMessagesPerMinute, int PublicThreadsPerHour, int PublicChatMessagesPerMinute, int AnonymousRequestsPerMinute, int HooksPerMinute)
{
    public static LimitSettings Read(SettingsReader s) => new(
        s.Integer("Limits:RequestsPerMinute", 6_000, 0, int.MaxValue),
        s.Integer("Limits:MessagesPerMinute", 1_200, 0, int.MaxValue),
        s.Integer("Limits:LoginFailures", 10, 0, int.MaxValue),
        s.Integer("Limits:PublicMessagesPerMinute", 20, 0, int.MaxValue),
        s.Integer("Limits:PublicThreadsPerHour", 10, 0, int.MaxValue),
        s.Integer("Limits:PublicChatMessagesPerMinute", 300, 0, int.MaxValue),
        s.Integer("Limits:AnonymousRequestsPerMinute", 600, 0, int.MaxValue),
        s.Integer("Limits:HooksPerMinute", 120, 0, int.MaxValue));
}
