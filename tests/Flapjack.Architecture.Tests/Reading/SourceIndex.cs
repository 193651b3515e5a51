using System.Text.RegularExpressions;

namespace Flapjack.Architecture.Tests.Reading;

/// <summary>Which file declares which outermost type. IL does not say it for records and interfaces.</summary>
internal static partial class SourceIndex
{
    public static IReadOnlyDictionary<string, string> Read(string folder)
    {
        var index = new Dictionary<string, string>();
        foreach (var path in Repository.Files(folder, ".cs"))
        {
            var text = Repository.Read(path);
            var space = Namespace().Match(text).Groups[1].Value;
            foreach (Match type in Declaration().Matches(text))
            {
                var arity = type.Groups[2].Success ? "`" + type.Groups[2].Value.Split(',').Length : "";
                index.TryAdd(space + "." + type.Groups[1].Value + arity, Path.GetFileName(path));
            }
        }

        return index;
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)\s*;", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    // File-scoped namespaces are enforced, so an outermost type starts in the first column.
    [GeneratedRegex(@"^(?:(?:public|internal|sealed|static|abstract|partial|readonly|ref|file|unsafe)\s+)*(?:class|interface|enum|struct|record(?:\s+(?:class|struct))?|delegate\s+[\w<>\[\],?. ]+?)\s+(\w+)(?:<([^>]+)>)?", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
