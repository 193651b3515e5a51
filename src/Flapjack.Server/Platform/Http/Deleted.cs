namespace Flapjack.Server.Platform.Http;

/// <summary>The answer to deletes and other commands without a result: <c>{"ok":true}</c>.</summary>
/// <param name="Done">Always true.</param>
public sealed record Deleted([property: System.Text.Json.Serialization.JsonPropertyName("ok")] bool Done)
{
    /// <summary>The one value.</summary>
    public static readonly Deleted Ok = new(true);
}
