using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Failed logins of one account in a quarter of an hour, counted for all nodes together.</summary>
internal sealed class LoginFailure
{
    /// <summary>HMAC of the e-mail: the table must not tell who has an account, or whose was tried.</summary>
    public required string Key { get; init; }

    public required DateTime StartedAt { get; init; }
    public required int Count { get; init; }
}

internal sealed class LoginFailureMapping : IEntityTypeConfiguration<LoginFailure>
{
    public void Configure(EntityTypeBuilder<LoginFailure> builder)
    {
        builder.ToTable("login_failures");
        builder.HasKey(f => f.Key);
    }
}
