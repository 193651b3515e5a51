namespace Flapjack.Server.Platform;

/// <summary>New ids: UUID version 7, so that rows sort by age.</summary>
internal static class Ids
{
    public static Guid New() => Guid.CreateVersion7();
}
