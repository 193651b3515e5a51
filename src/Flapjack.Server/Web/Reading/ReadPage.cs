namespace Flapjack.Server.Web.Reading;

/// <summary>A page as a tool shows it.</summary>
/// <param name="Address">Where it came from in the end.</param>
/// <param name="Title">As the page names itself.</param>
/// <param name="Text">Its main content.</param>
/// <param name="Links">Where it leads, absolute; none when somebody else read it.</param>
/// <param name="Truncated">The text goes on.</param>
internal sealed record ReadPage(Uri Address, string? Title, string Text, IReadOnlyList<Uri> Links, bool Truncated)
{
    /// <summary>Bytes that were fetched for it.</summary>
    public int Bytes { get; init; }
}
