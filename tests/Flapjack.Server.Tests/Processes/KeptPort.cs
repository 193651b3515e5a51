using System.Net;
using System.Net.Sockets;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Ports for what goes away and comes back at the same place. They lie below those the kernel hands out, so nobody takes one meanwhile.</summary>
internal static class KeptPort
{
    private const int First = 10_000, Last = 19_999;
    private static int s_next = Random.Shared.Next(First, Last);

    public static int Next()
    {
        while (true)
        {
            var port = First + (Interlocked.Increment(ref s_next) - First) % (Last - First + 1);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken by a program of this machine.
            }
        }
    }
}
