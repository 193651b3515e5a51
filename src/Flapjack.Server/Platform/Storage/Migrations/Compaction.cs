using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Summaries of threads, and finding the hidden threads that calls of other agents made.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0016_compaction")]
internal sealed class Compaction : ScriptMigration;
