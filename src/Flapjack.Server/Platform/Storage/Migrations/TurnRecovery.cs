using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Turns that survive their server: a fence against nodes that come back late, the events so far, the credential; and the database's clock.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0002_turn_recovery")]
internal sealed class TurnRecovery : ScriptMigration;
