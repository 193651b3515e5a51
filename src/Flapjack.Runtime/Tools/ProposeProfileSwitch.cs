using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>The tool with which a model proposes another tool profile; the client decides. No profile takes it away.</summary>
public static class ProposeProfileSwitch
{
    /// <summary>Name of the tool.</summary>
    public const string Name = "propose_profile_switch";

    private const int MaxReason = 500;

    /// <summary>The tool for a turn; null when there is no other switchable profile.</summary>
    /// <param name="profiles">Every profile of the agent.</param>
    /// <param name="current">Key of the effective profile; null when there is none.</param>
    public static TurnTool? Create(IEnumerable<ToolProfile> profiles, string? current)
    {
        var targets = new List<ToolProfile>();
        foreach (var profile in profiles)
        {
            if (profile.Switchable && profile.Name != current) targets.Add(profile);
        }
        return targets.Count == 0 ? null : new(new Function(targets), Idempotent: true, Gated: false);
    }

    private sealed class Function(List<ToolProfile> targets) : AIFunction
    {
        private static readonly JsonElement Proposed = JsonText.TryParse("""{"proposed":true}""")!.Value;

        public override string Name => ProposeProfileSwitch.Name;

        public override string Description { get; } = Describe(targets);

        public override JsonElement JsonSchema { get; } = SchemaOf(targets);

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            ToolContext.Of(arguments).ProposeProfileSwitch(TextOf(arguments, "target"), TextOf(arguments, "reason"));
            return new(Proposed);
        }

        private static string TextOf(AIFunctionArguments arguments, string name) => arguments[name] is JsonElement value ? value.GetString()! : (string)arguments[name]!;

        private static string Describe(List<ToolProfile> targets)
        {
            var text = "Proposes to continue with another set of tools. The user decides; the turn goes on with the present one.";
            foreach (var profile in targets)
            {
                if (!string.IsNullOrWhiteSpace(profile.Description)) text += $"\n{profile.Name}: {profile.Description}";
            }
            return text;
        }

        private static JsonElement SchemaOf(List<ToolProfile> targets) => JsonText.Element(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("type", "object");
            writer.WriteStartObject("properties");
            writer.WriteStartObject("target");
            writer.WriteString("type", "string");
            writer.WriteStartArray("enum");
            foreach (var profile in targets) writer.WriteStringValue(profile.Name);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteStartObject("reason");
            writer.WriteString("type", "string");
            writer.WriteNumber("maxLength", MaxReason);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteStartArray("required");
            writer.WriteStringValue("target");
            writer.WriteStringValue("reason");
            writer.WriteEndArray();
            writer.WriteBoolean("additionalProperties", false);
            writer.WriteEndObject();
        });
    }
}
