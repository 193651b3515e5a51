using System.Net.Http.Headers;

namespace Flapjack.Server.Tests;

/// <summary>Several nodes on one database.</summary>
public sealed partial class ServerFixture
{
    /// <summary>Starts another node on the same database, data directory and clock. On SQLite, where there can be only one, the first then stands for a process that was frozen and replaced.</summary>
    public Peer StartPeer()
    {
        var host = NewHost();
        return new(host, AddressOf(host));
    }

    /// <summary>A further node.</summary>
    public sealed class Peer : IAsyncDisposable
    {
        private readonly IAsyncDisposable _host;

        internal Peer(IAsyncDisposable host, Uri address)
        {
            (_host, BaseAddress) = (host, address);
            Client = NewClient(address);
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiKey);
        }

        public Uri BaseAddress { get; }

        /// <summary>Calls with the bootstrap API key.</summary>
        public HttpClient Client { get; }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await _host.DisposeAsync();
        }
    }
}
