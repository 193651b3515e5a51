using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Sessions know whether a login link opened them.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0017_login_links")]
internal sealed class LoginLinks : ScriptMigration;
