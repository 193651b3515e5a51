using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Invites, people of other issuers, deleted organisations, shared counts of failed logins.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0003_people")]
internal sealed class People : ScriptMigration;
