namespace Flapjack.Server.Knowledge.Extraction.Processes;

/// <summary>The program that reads documents does not run here. It is a fault of the installation, not of a document.</summary>
internal sealed class ReaderMissingException(string reason) : Exception(reason);
