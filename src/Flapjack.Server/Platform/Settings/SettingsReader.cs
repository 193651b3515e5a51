using System.Globalization;

namespace Flapjack.Server.Platform.Settings;

/// <summary>Reads settings and collects every fault instead of stopping at the first, so that an operator repairs a configuration in one go.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _faults = [];
    private readonly List<string> _keys = [];

    /// <summary>One sentence per wrong setting, each beginning with its key.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Every key that was asked for.</summary>
    public IReadOnlyList<string> Keys => _keys;

    public string? Text(string key, string? fallback = null, string? alias = null)
    {
        _keys.Add(key);
        var value = configuration[key];
        if (string.IsNullOrWhiteSpace(value) && alias is not null) value = configuration[alias];
        return string.IsNullOrWhiteSpace(value) ? fallback : value.Trim();
    }

    public bool Flag(string key, bool fallback) => Text(key) switch
    {
        null => fallback,
        "1" => true,
        "0" => false,
        var text => bool.TryParse(text, out var value) ? value : Fault(key, text, "true or false", fallback),
    };

    public int Integer(string key, int fallback, int min, int max) => Text(key) switch
    {
        null => fallback,
        var text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : Fault(key, text, $"a whole number from {min} to {max}", fallback),
    };

    public TimeSpan Duration(string key, double fallback, Func<double, TimeSpan> unit, double min, double max) => Text(key) switch
    {
        null => unit(fallback),
        var text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? unit(value)
            : Fault(key, text, $"a number from {min} to {max}", unit(fallback)),
    };

    public string OneOf(string key, string fallback, params string[] allowed) => Text(key) switch
    {
        null => fallback,
        var text => Array.Find(allowed, a => a.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? Fault(key, text, $"one of {string.Join(", ", allowed)}", fallback),
    };

    public Uri? Address(string key, string? alias = null) => Text(key, alias: alias) switch
    {
        null => null,
        var text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && text.StartsWith("http", StringComparison.OrdinalIgnoreCase)
            ? uri
            : Fault(key, text, "an http or https address", (Uri?)null),
    };

    public IReadOnlyList<string> List(string key)
    {
        _keys.Add(key);
        return [.. configuration.GetSection(key).GetChildren().Select(c => c.Value).OfType<string>().Where(v => v.Length > 0)];
    }

    public IEnumerable<IConfigurationSection> Sections(string key)
    {
        _keys.Add(key);
        return configuration.GetSection(key).GetChildren();
    }

    public void Refuse(string key, string reason) => _faults.Add($"{key}: {reason}");

    private T Fault<T>(string key, string value, string expected, T fallback)
    {
        _faults.Add($"{key}: '{value}' is not {expected}");
        return fallback;
    }
}
