using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Flapjack.Server.Accounts.External;

namespace Flapjack.Server.Tests.Accounts.External;

/// <summary>A key pair that signs, with the same OpenSSL the server checks with.</summary>
internal sealed class Ed25519Pair
{
    private readonly nint _key;

    public Ed25519Pair(byte[]? secret = null)
    {
        secret ??= RandomNumberGenerator.GetBytes(32);
        _key = Function<NewPrivateKey>("EVP_PKEY_new_raw_private_key")(1087, 0, secret, 32);
        nuint length = 32;
        Function<GetPublicKey>("EVP_PKEY_get_raw_public_key")(_key, PublicKey, ref length).ShouldBe(1);
    }

    private delegate nint NewPrivateKey(int type, nint engine, byte[] key, nuint length);

    private delegate int GetPublicKey(nint key, byte[] into, ref nuint length);

    private delegate nint NewContext();

    private delegate void FreeContext(nint context);

    private delegate int BeginSign(nint context, nint keyContext, nint digest, nint engine, nint key);

    private delegate int DigestSign(nint context, byte[] signature, ref nuint signatureLength, byte[] data, nuint dataLength);

    public byte[] PublicKey { get; } = new byte[32];

    public byte[] Sign(byte[] data)
    {
        var context = Function<NewContext>("EVP_MD_CTX_new")();
        try
        {
            var signature = new byte[64];
            nuint length = 64;
            Function<BeginSign>("EVP_DigestSignInit")(context, 0, 0, 0, _key).ShouldBe(1);
            Function<DigestSign>("EVP_DigestSign")(context, signature, ref length, data, (nuint)data.Length).ShouldBe(1);
            return signature;
        }
        finally
        {
            Function<FreeContext>("EVP_MD_CTX_free")(context);
        }
    }

    private static T Function<T>(string name) => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(Ed25519.Library, name));
}
