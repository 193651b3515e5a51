using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

internal static class IntegrationEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var integrations = app.MapGroup("/api/integrations").WithTags("integrations").From("doc");
        integrations.MapGet("", List).WithName("listIntegrations").Access(Scopes.ToolsRead).Demo(_ => TypedResults.Ok(Array.Empty<IntegrationResponse>()));
        integrations.MapPost("", Create).WithName("createIntegration").Access(Scopes.ToolsWrite, Role.Admin);
        integrations.MapGet("/{integrationId:guid}", Get).WithName("getIntegration").Access(Scopes.ToolsRead).Demo(DemoWorld.NotFound);
        integrations.MapDelete("/{integrationId:guid}", Delete).WithName("deleteIntegration").Access(Scopes.ToolsWrite, Role.Admin);
        var more = app.MapGroup("/api/integrations/{integrationId:guid}").WithTags("integrations").From("ext");
        more.MapPatch("", Update).WithName("updateIntegration").Access(Scopes.ToolsWrite, Role.Admin);
        more.MapPost("/test", Test).WithName("testIntegration").Access(Scopes.ToolsWrite, Role.Admin);
        more.MapPost("/refresh", Refresh).WithName("refreshIntegration").Access(Scopes.ToolsWrite, Role.Admin);
    }

    /// <summary>Lists the organisation's databases, newest first, without their schemas.</summary>
    private static async Task<Ok<List<IntegrationResponse>>> List(HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        var rows = await db.Integrations.OrderByDescending(i => i.CreatedAt).ThenByDescending(i => i.Id).InShort().ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(IntegrationResponse.From));
    }

    /// <summary>Reads one database with the schema it was last seen with.</summary>
    private static async Task<Ok<IntegrationResponse>> Get(Guid integrationId, FlapjackDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(IntegrationResponse.WithSchema(await db.Integrations.AsNoTracking().FindIntegrationAsync(integrationId, cancellationToken)));

    /// <summary>Stores a database and looks at it. One that cannot be reached is stored too, with <c>status</c> <c>error</c>.</summary>
    private static async Task<Created<IntegrationResponse>> Create(JsonBody<IntegrationRequest> body, FlapjackDb db, IntegrationEditor editor, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        var (request, errors) = (body.Value, new FieldErrors());
        errors.Required("name", request.Name.Value, 200);
        errors.Required("kind", request.Kind.Value, 20);
        errors.OneOf("kind", request.Kind.Value, Integration.Postgres, Integration.Supabase);
        var schemas = IntegrationEditor.Schemas(request.Schemas, errors);
        var address = await editor.AddressAsync(request.ConnectionString.Value, errors, cancellationToken);
        access.Choose(errors.Id("orgId", request.OrgId.Value));
        errors.ThrowIfAny();
        var now = time.Now();
        var row = new Integration
        {
            Id = Ids.New(), OrgId = access.OrgId, Name = request.Name.Value!.Trim(), Kind = request.Kind.Value!, Connection = "", Host = "", Database = "",
            Schemas = JsonSerializer.Serialize(schemas), CreatedAt = now, UpdatedAt = now,
        };
        editor.Connect(row, request.ConnectionString.Value!, address!);
        await editor.InspectAsync(row, cancellationToken);
        db.Integrations.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/integrations/{row.Id}", IntegrationResponse.WithSchema(row));
    }

    /// <summary>Changes the fields that are sent. Another connection or other schemas are looked at at once.</summary>
    private static async Task<Ok<IntegrationResponse>> Update(Guid integrationId, JsonBody<IntegrationRequest> body, FlapjackDb db, IntegrationEditor editor, IntegrationChange change, CancellationToken cancellationToken)
    {
        var row = await db.Integrations.FindIntegrationAsync(integrationId, cancellationToken);
        var (request, errors) = (body.Value, new FieldErrors());
        if (request.Name.IsSet) errors.Required("name", request.Name.Value, 200);
        var schemas = request.Schemas.IsSet ? IntegrationEditor.Schemas(request.Schemas, errors) : null;
        var address = request.ConnectionString.IsSet ? await editor.AddressAsync(request.ConnectionString.Value, errors, cancellationToken) : null;
        errors.ThrowIfAny();
        if (request.Name.IsSet) row.Name = request.Name.Value!.Trim();
        if (schemas is not null) row.Schemas = JsonSerializer.Serialize(schemas);
        if (address is not null) editor.Connect(row, request.ConnectionString.Value!, address);
        if (schemas is not null || address is not null) await editor.InspectAsync(row, cancellationToken);
        await change.SaveAsync(row, cancellationToken);
        return TypedResults.Ok(IntegrationResponse.WithSchema(row));
    }

    /// <summary>Deletes a database and takes it from every agent.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid integrationId, FlapjackDb db, IntegrationChange change, CancellationToken cancellationToken)
    {
        await change.DeleteAsync(await db.Integrations.FindIntegrationAsync(integrationId, cancellationToken), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Looks at the database and says how that went. Nothing is stored.</summary>
    private static async Task<Ok<IntegrationTestResponse>> Test(Guid integrationId, FlapjackDb db, IntegrationEditor editor, CancellationToken cancellationToken)
    {
        var (found, fault) = await editor.LookAsync(await db.Integrations.AsNoTracking().FindIntegrationAsync(integrationId, cancellationToken), cancellationToken);
        return TypedResults.Ok(found is null
            ? new IntegrationTestResponse { Ok = false, Error = fault!.Code, Detail = fault.Detail }
            : new IntegrationTestResponse { Ok = true, Tables = found.Tables.Count, ServerVersion = found.ServerVersion });
    }

    /// <summary>Looks at the database again. When that fails, <c>status</c> is <c>error</c> and the schema known before stays.</summary>
    private static async Task<Ok<IntegrationResponse>> Refresh(Guid integrationId, FlapjackDb db, IntegrationEditor editor, IntegrationChange change, CancellationToken cancellationToken)
    {
        var row = await db.Integrations.FindIntegrationAsync(integrationId, cancellationToken);
        await editor.InspectAsync(row, cancellationToken);
        await change.SaveAsync(row, cancellationToken);
        return TypedResults.Ok(IntegrationResponse.WithSchema(row));
    }
}
