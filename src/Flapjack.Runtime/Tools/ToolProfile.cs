using System.IO.Enumeration;

namespace Flapjack.Runtime.Tools;

/// <summary>A named gate for tools: exact names or globs (<c>*</c> any run, <c>?</c> one character, case-sensitive).</summary>
/// <param name="Name">The profile's key.</param>
/// <param name="Tools">Patterns; an empty list lets no server-side tool through.</param>
/// <param name="SystemPromptOverlay">Text added to the prompt while the profile is in effect.</param>
/// <param name="Switchable">May be proposed by the model.</param>
/// <param name="Description">Shown to the model when it may propose the profile.</param>
public sealed record ToolProfile(string Name, IReadOnlyList<string> Tools, string? SystemPromptOverlay = null, bool Switchable = true, string? Description = null)
{
    /// <summary>True when a pattern matches the tool's name.</summary>
    public bool Allows(string tool)
    {
        foreach (var pattern in Tools)
        {
            // Tool names hold no backslash, the one character this matcher treats specially besides * and ?.
            if (FileSystemName.MatchesSimpleExpression(pattern, tool, ignoreCase: false)) return true;
        }
        return false;
    }
}
