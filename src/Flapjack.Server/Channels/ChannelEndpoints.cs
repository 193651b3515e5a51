using Flapjack.Server.Agents;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels;

internal static class ChannelEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var channels = app.MapGroup("/api/agents/{agentId:guid}/channels").WithTags("channels").From("doc");
        channels.MapGet("", List).WithName("listChannels").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<ChannelResponse>()));
        channels.MapPost("", Create).WithName("createChannel").Access(Scopes.AgentsWrite, Role.Member);
        channels.MapPatch("/{channelId:guid}", Update).WithName("updateChannel").Access(Scopes.AgentsWrite, Role.Member);
        channels.MapDelete("/{channelId:guid}", Delete).WithName("deleteChannel").Access(Scopes.AgentsWrite, Role.Member);
        var more = app.MapGroup("/api/agents/{agentId:guid}/channels/{channelId:guid}").WithTags("channels").From("ext");
        more.MapGet("", Get).WithName("getChannel").Access(Scopes.AgentsRead).Demo(DemoWorld.NotFound);
        more.MapPost("/test", Test).WithName("testChannel").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the channels of an agent, newest first.</summary>
    private static async Task<Ok<List<ChannelResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var rows = await db.Channels.AsNoTracking().OfAgent(agentId).OrderByDescending(c => c.CreatedAt).ThenByDescending(c => c.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(row => ResponseOf(row, http.Request, editing)));
    }

    /// <summary>Reads one channel.</summary>
    private static async Task<Ok<ChannelResponse>> Get(Guid agentId, Guid channelId, HttpRequest request, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        return TypedResults.Ok(ResponseOf(await db.Channels.AsNoTracking().FindChannelAsync(agentId, channelId, cancellationToken), request, editing));
    }

    /// <summary>Stores a channel. A Telegram bot is told at once where to send its messages; when that fails, <c>status</c> is <c>error</c>.</summary>
    private static async Task<Created<ChannelResponse>> Create(Guid agentId, JsonBody<ChannelRequest> body, HttpRequest request, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var (sent, errors) = (body.Value, new FieldErrors());
        var provider = editing.Editor.KindOf(sent.Kind.Value, errors);
        errors.Text("name", sent.Name.Value, 200, min: 1);
        if (provider is null) errors.ThrowIfAny();
        var config = await editing.Editor.ConfigAsync(provider!, ChannelConfig.DefaultOf(provider!.Kind), sent.Config.Value, errors, cancellationToken);
        var credentials = ChannelEditor.Credentials(provider, sent.Credentials.Value, errors);
        errors.ThrowIfAny();
        var row = editing.NewRow(agent.OrgId, agentId, provider.Kind, sent.Name.Value?.Trim());
        (row.Enabled, row.Config) = (sent.Enabled.Value ?? true, config.ToText());
        row.Status = row.Enabled ? ChannelStatuses.Pending : ChannelStatuses.Disabled;
        editing.Vault.Store(row, credentials);
        db.Channels.Add(row);
        // Before the provider is told: what it sends at once must find its channel.
        await db.SaveChangesAsync(cancellationToken);
        // The row is there now: what the provider says of it is noted, whoever still listens.
        if (row.Enabled) await editing.Registration.RegisterAsync(row, PublicAddress.Of(request, editing.Settings), CancellationToken.None);
        await SaveAsync(db, CancellationToken.None);
        return TypedResults.Created($"/api/agents/{agentId}/channels/{row.Id}", ResponseOf(row, request, editing));
    }

    /// <summary>Changes the fields that are sent: <c>config</c> is merged, <c>credentials</c> replaced. The next message is treated by them.</summary>
    private static async Task<Ok<ChannelResponse>> Update(Guid agentId, Guid channelId, JsonBody<ChannelRequest> body, HttpRequest request, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var row = await db.Channels.FindChannelAsync(agentId, channelId, cancellationToken);
        var (sent, errors, provider, wasEnabled) = (body.Value, new FieldErrors(), editing.Providers.Of(row), row.Enabled);
        if (sent.Name.IsSet) errors.Required("name", sent.Name.Value, 200);
        var config = await editing.Editor.ConfigAsync(provider, ChannelConfig.Parse(row.Config), sent.Config.Value, errors, cancellationToken);
        var credentials = sent.Credentials.IsSet ? ChannelEditor.Credentials(provider, sent.Credentials.Value, errors) : null;
        errors.ThrowIfAny();
        if (sent.Name.IsSet) row.Name = sent.Name.Value!.Trim();
        if (sent.Enabled.IsSet) row.Enabled = sent.Enabled.Value ?? true;
        row.Config = config.ToText();
        // With the old credentials: another bot may be meant from now on.
        if (wasEnabled && (credentials is not null || !row.Enabled)) await editing.Registration.UnregisterAsync(row, cancellationToken);
        if (credentials is not null) editing.Vault.Store(row, credentials);
        if (!row.Enabled) row.Status = ChannelStatuses.Disabled;
        row.UpdatedAt = editing.Time.Now();
        await SaveAsync(db, cancellationToken);
        if (row.Enabled && (credentials is not null || !wasEnabled || row.Status == ChannelStatuses.Error))
        {
            await editing.Registration.RegisterAsync(row, PublicAddress.Of(request, editing.Settings), CancellationToken.None);
            await SaveAsync(db, CancellationToken.None);
        }
        return TypedResults.Ok(ResponseOf(row, request, editing));
    }

    /// <summary>Deletes a channel with its contacts and removes its webhook at the provider; threads stay. A provider that cannot be told now is told later.</summary>
    private static async Task<Ok<Deleted>> Delete(Guid agentId, Guid channelId, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var row = await db.Channels.FindChannelAsync(agentId, channelId, cancellationToken);
        row.RemovedAt = editing.Time.Now();
        await SaveAsync(db, cancellationToken);
        await editing.Clearance.ClearAsync(row, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Asks the provider whom the credentials belong to; of a <c>webhook</c>, sends its address a message with <c>X-Flapjack-Test: 1</c>. Nothing is stored.</summary>
    private static async Task<Ok<ChannelTestResponse>> Test(Guid agentId, Guid channelId, FlapjackDb db, ChannelEditing editing, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var row = await db.Channels.AsNoTracking().FindChannelAsync(agentId, channelId, cancellationToken);
        try
        {
            return TypedResults.Ok(new ChannelTestResponse { Ok = true, Detail = await editing.Providers.Of(row).TestAsync(editing.Vault.Open(row), cancellationToken) });
        }
        catch (ChannelException fault)
        {
            return TypedResults.Ok(new ChannelTestResponse { Ok = false, Error = fault.ToText() });
        }
    }

    private static async Task SaveAsync(FlapjackDb db, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Deleted while the provider was asked.
            throw ApiException.NotFound("Channel");
        }
    }

    private static ChannelResponse ResponseOf(Channel row, HttpRequest request, ChannelEditing editing) =>
        ChannelResponse.From(row, editing.Providers.Of(row).Length.Of(ChannelConfig.Parse(row.Config)), editing.Registration.AddressOf(row, PublicAddress.Of(request, editing.Settings)));
}
