namespace Flapjack.Server.Files;

/// <summary>Names of files as senders give them: a label for people, never a path.</summary>
internal static class FileName
{
    public const int MaxLength = 200;

    /// <summary>The last part of what may be a path, without control characters; <paramref name="fallback"/> when nothing is left.</summary>
    public static string Clean(string? name, string fallback)
    {
        if (name is null) return fallback;
        var last = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        var clean = string.Concat(last.Where(c => !char.IsControl(c) && c is not ('"' or '\u2028' or '\u2029'))).Trim();
        if (clean is "" or "." or "..") return fallback;
        if (clean.Length <= MaxLength) return clean;
        var extension = Path.GetExtension(clean);
        if (extension.Length > 20) extension = "";
        var end = MaxLength - extension.Length;
        if (char.IsHighSurrogate(clean[end - 1])) end--;
        return clean[..end] + extension;
    }

    /// <summary>The name an address suggests.</summary>
    public static string Of(Uri address, string fallback) => Clean(Uri.UnescapeDataString(address.AbsolutePath), fallback);
}
