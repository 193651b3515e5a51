using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Configs;

/// <summary>How a sent field changes a saved one: absent leaves it, <c>null</c> restores the default.</summary>
internal static class ConfigFields
{
    public static T Over<T>(this Optional<T?> sent, T saved, T standard) where T : struct => sent.IsSet ? sent.Value ?? standard : saved;

    public static T Over<T>(this Optional<T> sent, T saved, T standard) where T : class => sent.IsSet ? sent.Value ?? standard : saved;
}
