namespace Flapjack.Server.Platform.Signals;

/// <summary>Names this process among the nodes on a database. A process that is started again is another node.</summary>
internal sealed class NodeName
{
    public string Value { get; } = $"{Environment.MachineName}-{Ids.New():N}";
}
