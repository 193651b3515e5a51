using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Http;

/// <summary>Lists that are answered as plain arrays: <c>limit</c> and <c>offset</c> in the query, the whole number in <c>X-Total-Count</c>.</summary>
internal static class BareList
{
    private const int Longest = 1_000;

    public static async Task<List<T>> ToPageAsync<T>(this IQueryable<T> ordered, HttpContext http, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", Longest, 1, Longest), query.Integer("offset", 0, 0, int.MaxValue));
        http.Response.Headers["X-Total-Count"] = (await ordered.CountAsync(cancellationToken)).ToString(CultureInfo.InvariantCulture);
        return await ordered.Skip(offset).Take(limit).ToListAsync(cancellationToken);
    }

    /// <summary>The same for a list that is in memory.</summary>
    public static List<T> ToPage<T>(this IReadOnlyCollection<T> ordered, HttpContext http)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", Longest, 1, Longest), query.Integer("offset", 0, 0, int.MaxValue));
        http.Response.Headers["X-Total-Count"] = ordered.Count.ToString(CultureInfo.InvariantCulture);
        return [.. ordered.Skip(offset).Take(limit)];
    }
}
