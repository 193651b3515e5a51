using System.Buffers;
using System.Security.Cryptography;

namespace Flapjack.Server.Platform.Identity;

/// <summary>What credentials look like.</summary>
internal static class ApiKeyFormat
{
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    public const string LivePrefix = "fj_live_";
    public const string DemoPrefix = "fj_demo_";
    public const string DemoKey = "fj_demo_example_key";

    public static bool IsLiveKey(string text) =>
        text.Length == LivePrefix.Length + 64 && text.StartsWith(LivePrefix, StringComparison.Ordinal)
        && !text.AsSpan(LivePrefix.Length).ContainsAnyExcept(Hex);

    public static string NewLiveKey() => LivePrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public static string Prefix(string key) => key[..12] + "...";
}
