using System.Globalization;

namespace Flapjack.Server.Platform.Http;

/// <summary>Reads query values by the contract's rules: not a number or a boolean is 400, below the minimum 422, above the maximum is clamped. Both spellings of a name are accepted.</summary>
internal readonly struct Query(HttpRequest request)
{
    public string? Text(string name, string? alias = null)
    {
        var value = request.Query[name];
        if (value.Count == 0 && alias is not null) value = request.Query[alias];
        if (value.Count == 0) return null;
        var text = value[0] ?? "";
        return text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest($"{name}: must not contain the character U+0000") : text;
    }

    public int Integer(string name, int fallback, int min, int max)
    {
        var text = Text(name);
        if (string.IsNullOrEmpty(text)) return fallback;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) throw ApiException.BadRequest($"{name}: is not a whole number");
        return value < min ? throw ApiException.Invalid(name, $"must be at least {min}") : (int)Math.Min(value, max);
    }

    public double? Number(string name, string? alias = null)
    {
        var text = Text(name, alias);
        if (string.IsNullOrEmpty(text)) return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : throw ApiException.BadRequest($"{name}: is not a number");
    }

    public bool Flag(string name, bool fallback) => Text(name) switch
    {
        null or "" => fallback,
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw ApiException.BadRequest($"{name}: must be true, false, 1 or 0"),
    };

    public Guid? Id(string name, string? alias = null) => Text(name, alias) switch
    {
        null or "" => null,
        var text => Guid.TryParseExact(text, "D", out var id) ? id : throw ApiException.Invalid(name, "is not a UUID"),
    };

    public DateTime? Time(string name) => Text(name) switch
    {
        null or "" => null,
        var text => WireTime.TryParse(text, out var time) ? time : throw ApiException.Invalid(name, "is not an ISO 8601 time"),
    };

    public string OneOf(string name, string fallback, params ReadOnlySpan<string> allowed)
    {
        var text = Text(name);
        if (string.IsNullOrEmpty(text)) return fallback;
        foreach (var value in allowed) if (value == text) return value;
        throw ApiException.Invalid(name, $"must be one of {string.Join(", ", allowed!)}");
    }
}
