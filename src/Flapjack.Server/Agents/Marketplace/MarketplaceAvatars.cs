using System.Security.Cryptography;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>Takes and shows the pictures of profiles.</summary>
internal sealed class MarketplaceAvatars(Databases databases, TimeProvider time)
{
    /// <summary>2 MB.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Pixels a side.</summary>
    public const int MaxSide = 2_048;

    /// <summary>Reads the picture of a form: 413 when it is too large, 415 when it is none, 422 when it has too many pixels.</summary>
    public static async Task<(byte[] Content, ImageHeader Header)> ReceiveAsync(FormBody<AvatarRequest> form, CancellationToken cancellationToken)
    {
        byte[]? content = null;
        await form.ReadAsync(async part =>
        {
            if (part.Name != "file") return;
            if (content is not null) throw ApiException.Invalid("file", "is sent twice");
            content = await ReadAsync(part.Content, cancellationToken);
        }, cancellationToken);
        if (content is null) throw ApiException.Invalid("file", "is required");
        return (content, HeaderOf(content));
    }

    /// <summary>Makes a picture that of a profile, and lets go of the one before. 404 when the agent has no profile.</summary>
    public async Task<Guid> StoreAsync(Agent agent, byte[] content, ImageHeader header, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var avatar = new MarketplaceAvatar
        {
            Id = Ids.New(),
            OrgId = agent.OrgId,
            AgentId = agent.Id,
            MediaType = header.MediaType,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
            Content = content,
            CreatedAt = now,
        };
        await using var db = databases.Open(agent.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Agents.HoldAsync(agent.Id, cancellationToken);
        var changed = await db.MarketplaceProfiles.Where(p => p.AgentId == agent.Id).ExecuteUpdateAsync(set => set.SetProperty(p => p.UpdatedAt, now), cancellationToken);
        if (changed == 0) throw MarketplaceProfiles.NotFound();
        await db.MarketplaceAvatars.Where(a => a.AgentId == agent.Id).ExecuteDeleteAsync(cancellationToken);
        db.MarketplaceAvatars.Add(avatar);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return avatar.Id;
    }

    /// <summary>A picture for anybody who has its address; 404 for one that was replaced.</summary>
    public async Task<MarketplaceAvatar> FindAsync(Guid avatarId, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        return await db.MarketplaceAvatars.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(a => a.Id == avatarId, cancellationToken) ?? throw ApiException.NotFound("Avatar");
    }

    private static async Task<byte[]> ReadAsync(Stream content, CancellationToken cancellationToken)
    {
        // One byte more than is allowed tells that there is too much.
        var bytes = new byte[MaxBytes + 1];
        var length = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= MaxBytes ? bytes[..length] : throw new ApiException(413, "PAYLOAD_TOO_LARGE", $"file: a picture may have at most {MaxBytes} bytes");
    }

    private static ImageHeader HeaderOf(byte[] content)
    {
        if (content.Length == 0) throw ApiException.Invalid("file", "is empty");
        if (ImageHeader.Read(content) is not { } header) throw new ApiException(415, "UNSUPPORTED_MEDIA_TYPE", "file: by its content this is none of png, jpeg, webp and gif");
        if (header is { Width: 0 } or { Height: 0 }) throw ApiException.Invalid("file", $"its size in pixels cannot be read; it begins like {header.MediaType} and is broken");
        return header is { Width: <= MaxSide, Height: <= MaxSide } ? header : throw ApiException.Invalid("file", $"has {header.Width} x {header.Height} pixels; a side may have at most {MaxSide}");
    }
}
