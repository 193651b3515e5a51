using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Channels.Webhooks;

/// <summary>Where a value stands in JSON: <c>$.message.from</c>, <c>$.items[0].text</c>, <c>$['first name']</c>. The part of JSONPath that names one place.</summary>
internal sealed partial class FieldPath
{
    public const int MaxLength = 200;
    private readonly IReadOnlyList<object> _steps;

    private FieldPath(IReadOnlyList<object> steps) => _steps = steps;

    /// <summary>Null when it is no such path.</summary>
    public static FieldPath? Parse(string text)
    {
        if (text.Length > MaxLength || !Form().IsMatch(text)) return null;
        return new([.. Step().Matches(text).Select(step => step.Groups["index"] is { Success: true } index ? (object)int.Parse(index.Value, CultureInfo.InvariantCulture) : step.Groups["name"] is { Success: true } name ? name.Value : step.Groups["quoted"].Value)]);
    }

    /// <summary>The value there; null when there is none.</summary>
    public JsonElement? Find(JsonElement json)
    {
        foreach (var step in _steps)
        {
            switch (step)
            {
                case string name when json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var field):
                    json = field;
                    break;
                case int index when json.ValueKind == JsonValueKind.Array && index < json.GetArrayLength():
                    json = json[index];
                    break;
                default:
                    return null;
            }
        }
        return json;
    }

    private const string StepForm = @"(?:\.(?<name>[A-Za-z_][A-Za-z0-9_-]*)|\[(?<index>[0-9]{1,4})\]|\['(?<quoted>[^'\]]+)'\])";

    [GeneratedRegex(@"^\$" + StepForm + @"+\z", RegexOptions.NonBacktracking)]
    private static partial Regex Form();

    [GeneratedRegex(StepForm, RegexOptions.NonBacktracking)]
    private static partial Regex Step();
}
