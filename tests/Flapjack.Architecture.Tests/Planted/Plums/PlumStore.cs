using System.Data.Common;
using Flapjack.Architecture.Tests.Planted.Platform;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Architecture.Tests.Planted.Plums;

internal sealed class PlumStore(FlapjackDb db, int a, int b, int c, int d, int e, int f)
{
    public IQueryable<Plum> All(DbCommand command)
    {
        command.CommandText = "select 1";
        return db.Plums.FromSqlRaw("select * from plums").Take(a + b + c + d + e + f);
    }
}

/// <summary>Allowed: its name says that it holds SQL.</summary>
internal static class PlumSql
{
    public static void Fill(DbCommand command) => command.CommandText = "select 1";
}
