using System.Security.Cryptography;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Channels;

/// <summary>Seals and opens what channels must not show.</summary>
internal sealed class ChannelVault(SecretBox secrets)
{
    private const string CredentialsField = "credentials", TokenField = "token";

    public void Store(Channel row, ChannelCredentials credentials) => row.Credentials = secrets.Seal(credentials.ToText(), row.PlaceOf(CredentialsField));

    /// <summary>A new channel's token, sealed.</summary>
    public string Seal(Guid org, Guid channel, string token) => secrets.Seal(token, $"{org}/channels/{channel}/{TokenField}");

    /// <summary>The channel with its secrets.</summary>
    /// <exception cref="ChannelException">They were encrypted under another master key.</exception>
    public OpenedChannel Open(Channel row)
    {
        try
        {
            return new(row, ChannelConfig.Parse(row.Config), ChannelCredentials.Parse(secrets.Open(row.Credentials, row.PlaceOf(CredentialsField))));
        }
        catch (CryptographicException)
        {
            throw new ChannelException(ChannelException.Unreadable, "the stored credentials cannot be read; set them again", false);
        }
    }

    /// <summary>The token in the channel's address; a word that is none when it cannot be read any more.</summary>
    public string TokenOf(Channel row)
    {
        try
        {
            return secrets.Open(row.Token, row.PlaceOf(TokenField));
        }
        catch (CryptographicException)
        {
            return "unreadable";
        }
    }
}
