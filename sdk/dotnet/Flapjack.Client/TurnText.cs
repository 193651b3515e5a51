using System.Text;

namespace Flapjack.Client;

/// <summary>The text of a turn as the reader of its events has it.</summary>
internal sealed class TurnText
{
    private readonly StringBuilder _all = new();
    private string _settled = "";
    private bool _mayRepeatSettled;

    /// <summary>A new stream begins; what is there will not come again.</summary>
    public void Settle() => (_settled, _mayRepeatSettled) = (_all.ToString(), false);

    /// <summary>The stream comes again from its beginning.</summary>
    public RestartEvent Restart()
    {
        _all.Clear().Append(_settled);
        _mayRepeatSettled = true;
        return new(_settled);
    }

    /// <summary>All of the turn comes again.</summary>
    public RestartEvent RestartEmpty()
    {
        _settled = "";
        return Restart();
    }

    /// <summary>Null when nothing of it is new.</summary>
    public TokenEvent? Take(TokenEvent token)
    {
        var delta = token.Delta;
        // A stream made from what was stored begins with all text of the turn, also that of earlier streams.
        if (_mayRepeatSettled && delta.StartsWith(_settled, StringComparison.Ordinal)) delta = delta[_settled.Length..];
        _mayRepeatSettled = false;
        _all.Append(delta);
        return delta.Length == 0 ? null : token with { Delta = delta };
    }
}
