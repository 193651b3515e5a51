using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Writes what a running turn has to say. A database that is away is waited for, so that nothing that was streamed gets lost; a turn that another node took over writes nothing.</summary>
internal sealed class OwnedWrites(IWriter writer, IReader reader, DatabasePatience patience)
{
    /// <summary>Returns when the unit is on disk.</summary>
    /// <param name="owner">Whose writes these are.</param>
    /// <param name="unit">Statements that make sense together; ids in them are fixed, since the unit may be sent more than once.</param>
    /// <param name="becomes">Status the unit gives to the turn; null when it goes on running.</param>
    /// <exception cref="TurnLostException">Another node has the turn now; nothing was written.</exception>
    public Task WriteAsync(TurnOwner owner, IEnumerable<SqlStatement> unit, string? becomes)
    {
        SqlStatement[] guarded = [TurnSql.Guard(owner.Thread, owner.Turn, owner.Fence), .. unit];
        return patience.WorkAsync(owner.Turn, repeated => WriteAsync(owner, guarded, becomes, repeated), CancellationToken.None);
    }

    // A commit whose answer was lost is recognised when it is repeated: by the guard, or by the keys of its rows.
    private async ValueTask WriteAsync(TurnOwner owner, SqlStatement[] guarded, string? becomes, bool repeated)
    {
        try
        {
            if (!(await writer.WriteAsync(guarded)).Refused) return;
            if (repeated && becomes is not null && await HasBecomeAsync(owner, becomes)) return;
            throw new TurnLostException();
        }
        catch (Exception exception) when (repeated && DatabaseFaults.IsDuplicate(exception))
        {
        }
    }

    private async Task<bool> HasBecomeAsync(TurnOwner owner, string status) =>
        await reader.ReadAsync(TurnSql.Status(owner.Turn, owner.Fence), static row => row.Text(), CancellationToken.None) == status;
}

/// <summary>A turn in the hands of one node.</summary>
/// <param name="Thread">The thread it runs in.</param>
/// <param name="Turn">Its id.</param>
/// <param name="Fence">How often the turn was taken over when this node got it.</param>
internal readonly record struct TurnOwner(Guid Thread, Guid Turn, long Fence);

/// <summary>The turn is no longer this node's: another one took it over, or its thread is gone. Nothing was written.</summary>
internal sealed class TurnLostException() : Exception("The turn was taken over by another node.");
