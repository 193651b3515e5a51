using System.ComponentModel;
using System.Diagnostics;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>Programs on the host itself, as the user the server runs as (<c>Mcp:Stdio</c> = <c>host</c>). Of the server's own variables they get none but the usual ones.</summary>
internal sealed class HostPrograms : IProgramHost
{
    private static readonly string[] Passed = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SystemRoot"];

    public Task<IServerProgram> StartAsync(ServerAccess access, IReadOnlyDictionary<string, string> env, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(access.Command!, access.Args) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.Environment.Clear();
        foreach (var name in Passed) if (Environment.GetEnvironmentVariable(name) is { } value) start.Environment[name] = value;
        foreach (var (name, value) in env) start.Environment[name] = value;
        try
        {
            return Task.FromResult<IServerProgram>(new Running(Process.Start(start)!));
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException or IOException)
        {
            throw new McpServerException(new(McpFault.Connect, "the program cannot be started"), exception);
        }
    }

    private sealed class Running : IServerProgram
    {
        private readonly Process _process;
        private readonly ProgramWords _words;

        public Running(Process process) => (_process, _words) = (process, new ProgramWords(process.StandardError.BaseStream));

        public Stream Input => _process.StandardInput.BaseStream;

        public Stream Output => _process.StandardOutput.BaseStream;

        public string LastWords => _words.Last;

        public ValueTask DisposeAsync()
        {
            try
            {
                _process.Kill(entireProcessTree: true);
            }
            catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
            {
                // It ended by itself.
            }
            _process.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
