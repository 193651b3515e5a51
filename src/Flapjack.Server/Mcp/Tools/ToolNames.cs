using System.Security.Cryptography;
using System.Text;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>What models call the tools of servers.</summary>
internal static class ToolNames
{
    private const int MaxLength = 64, Kept = 55;

    /// <summary><c>{slug}__{tool}</c> in characters that providers take; longer names are cut and told apart by a hash.</summary>
    public static string For(string slug, string tool)
    {
        var name = $"{slug}__{tool}";
        var plain = string.Create(name.Length, name, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++) target[i] = char.IsAsciiLetterOrDigit(source[i]) || source[i] is '_' or '-' ? source[i] : '_';
        });
        return plain.Length <= MaxLength ? plain : $"{plain[..Kept]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 4))}";
    }
}
