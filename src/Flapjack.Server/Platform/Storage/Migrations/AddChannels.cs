using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Channels, who writes to them, and the messages that came.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0019_channels")]
internal sealed class AddChannels : ScriptMigration;
