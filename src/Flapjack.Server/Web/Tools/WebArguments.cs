using System.Text.Json;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Web.Tools;

/// <summary>Arguments of web tools, within bounds.</summary>
internal static class WebArguments
{
    private const int MaxWords = 50, LongestWord = 300, LongestAddress = 2_000;

    /// <summary>A text that has to be there.</summary>
    public static string Required(this AIFunctionArguments arguments, string name, int longest)
    {
        var text = arguments.Text(name)?.Trim();
        if (string.IsNullOrEmpty(text)) throw Fault(name, "must not be blank");
        return text.Length <= longest ? text : throw Fault(name, $"has more than {longest} characters");
    }

    public static string? Text(this AIFunctionArguments arguments, string name) =>
        arguments.TryGetValue(name, out var value) && value is JsonElement { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>A number from 1 to a limit of the agent; asking for more gives the limit.</summary>
    public static int Number(this AIFunctionArguments arguments, string name, int standard, int limit) =>
        arguments.TryGetValue(name, out var value) && value is JsonElement { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var wanted) ? (int)Math.Clamp(wanted, 1, limit) : standard;

    /// <summary>A list of words without the empty ones. One that is too long fails the call: half of the domains to leave out would be worse.</summary>
    public static IReadOnlyList<string> Words(this AIFunctionArguments arguments, string name)
    {
        if (!arguments.TryGetValue(name, out var value) || value is not JsonElement { ValueKind: JsonValueKind.Array } list) return [];
        var words = list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!).Where(word => word.Length > 0).ToList();
        if (words.Count > MaxWords) throw Fault(name, $"has more than {MaxWords} entries");
        return words.Exists(word => word.Length > LongestWord) ? throw Fault(name, $"has an entry of more than {LongestWord} characters") : words;
    }

    /// <summary>An address of the web, without its fragment.</summary>
    public static Uri Address(this AIFunctionArguments arguments, string name)
    {
        var text = arguments.Required(name, LongestAddress);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) throw Fault(name, "must be an http or https address");
        if (address.UserInfo.Length > 0) throw Fault(name, "must not contain a user name or password");
        return address.Fragment.Length == 0 ? address : new UriBuilder(address) { Fragment = "" }.Uri;
    }

    private static ToolException Fault(string name, string reason) => new(ToolErrors.InvalidArguments, $"{name}: {reason}");
}
