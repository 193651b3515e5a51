using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Files and which messages use them.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0004_files")]
internal sealed class AddFiles : ScriptMigration;
