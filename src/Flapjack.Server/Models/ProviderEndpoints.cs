using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Models;

internal static class ProviderEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var providers = app.MapGroup("/api/providers").WithTags("providers").From("ext");
        providers.MapGet("", List).WithName("listProviders").Access(null);
        providers.MapPut("/{provider}", Put).WithName("putProvider").Access(Scopes.ProvidersWrite, Role.Admin);
        providers.MapDelete("/{provider}", Delete).WithName("deleteProvider").Access(Scopes.ProvidersWrite, Role.Admin);
        providers.MapPost("/{provider}/test", Test).WithName("testProvider").Access(Scopes.ProvidersWrite, Role.Admin);
    }

    /// <summary>Lists the organisation's providers, the last changed first, then those of the operator that apply.</summary>
    private static async Task<Ok<List<ProviderResponse>>> List(HttpContext http, FlapjackDb db, ProviderRoster roster, CallerContext access, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", 1_000, 1, 1_000), query.Integer("offset", 0, 0, int.MaxValue));
        var rows = await db.Providers.AsNoTracking().OrderByDescending(p => p.UpdatedAt).ToListAsync(cancellationToken);
        var reached = (await roster.OfAsync(access.OrgId, cancellationToken)).Providers;
        var all = rows.ConvertAll(row => Own(row, reached.GetValueOrDefault(row.Provider)));
        all.AddRange(roster.Server.Values.Where(s => rows.All(r => r.Provider != s.Name)).OrderBy(s => s.Name, StringComparer.Ordinal).Select(Server));
        http.Response.Headers["X-Total-Count"] = all.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return TypedResults.Ok(all.Skip(offset).Take(limit).ToList());
    }

    /// <summary>Creates the organisation's provider of this name, or changes the fields that are sent.</summary>
    private static async Task<Ok<ProviderResponse>> Put(string provider, JsonBody<ProviderRequest> body, FlapjackDb db, ProviderEditor editor, ProviderRoster roster, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        if (!ProviderNames.IsValid(provider)) errors.Add("provider", "must match ^[a-z0-9_-]{1,32}$");
        var row = await db.Providers.FirstOrDefaultAsync(p => p.Provider == provider, cancellationToken);
        if (row is null) db.Providers.Add(row = new ProviderConfig { OrgId = access.OrgId, Provider = provider, Kind = ProviderEditor.DefaultKind(provider), UpdatedAt = time.Now() });
        await editor.ApplyAsync(row, body.Value, errors, cancellationToken);
        errors.ThrowIfAny();
        row.UpdatedAt = time.Now();
        await SaveAsync(db, roster, access.OrgId, cancellationToken);
        return TypedResults.Ok(Own(row, (await roster.OfAsync(access.OrgId, cancellationToken)).Providers.GetValueOrDefault(provider)));
    }

    /// <summary>Deletes the organisation's provider; one of the operator's under the same name applies again.</summary>
    private static async Task<Ok<Deleted>> Delete(string provider, FlapjackDb db, ProviderRoster roster, CallerContext access, CancellationToken cancellationToken)
    {
        db.Providers.Remove(await db.Providers.FirstOrDefaultAsync(p => p.Provider == provider, cancellationToken) ?? throw ApiException.NotFound("Provider"));
        await SaveAsync(db, roster, access.OrgId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Calls one of the provider's models with a few tokens and says how it went.</summary>
    private static async Task<Ok<ProviderTestResponse>> Test(string provider, JsonBody<ProviderTestRequest> body, ModelDirectory models, ProviderTrial trial, CancellationToken cancellationToken)
    {
        var reached = await models.ProviderAsync(provider, cancellationToken) ?? throw ApiException.NotFound("Provider");
        if (!reached.ServesModels) return TypedResults.Ok(new ProviderTestResponse { Ok = false, Error = "NOT_SUPPORTED", Detail = "Only providers of models can be tested." });
        var model = body.Value.Model.Value ?? ProviderTrial.DefaultModel(reached) ?? throw ApiException.Invalid("model", "is required, since the provider lists no models");
        var id = model.StartsWith(provider + "/", StringComparison.Ordinal) ? model : $"{provider}/{model}";
        var choice = await models.ResolveAsync(id, cancellationToken) ?? throw ApiException.Invalid("model", "is not a model name");
        return TypedResults.Ok(await trial.RunAsync(choice, cancellationToken));
    }

    private static async Task SaveAsync(FlapjackDb db, ProviderRoster roster, Guid orgId, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (DatabaseFaults.IsConflict(exception))
        {
            throw ApiException.Conflict("the provider was changed at the same time");
        }
        finally
        {
            roster.Forget(orgId);
        }
    }

    private static ProviderResponse Own(ProviderConfig row, ProviderAccess? reached) => new()
    {
        Provider = row.Provider,
        Kind = row.Kind,
        BaseUrl = row.BaseUrl,
        HasApiKey = row.ApiKey is not null,
        HeaderNames = row.Headers is null ? [] : [.. (reached?.Headers.Keys ?? []).Order(StringComparer.Ordinal)],
        Enabled = row.Enabled,
        Source = "org",
        Models = [.. ModelEntry.Read(row.Models).Select(ProviderModelResponse.From)],
        UpdatedAt = row.UpdatedAt,
    };

    private static ProviderResponse Server(ProviderAccess server) => new()
    {
        Provider = server.Name,
        Kind = server.Kind,
        BaseUrl = null,
        HasApiKey = server.ApiKey is not null,
        HeaderNames = [],
        Enabled = true,
        Source = "server",
        Models = [.. server.Models.Select(ProviderModelResponse.From)],
        UpdatedAt = null,
    };
}
