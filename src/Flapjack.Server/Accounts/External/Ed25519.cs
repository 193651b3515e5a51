using System.Runtime.InteropServices;

namespace Flapjack.Server.Accounts.External;

/// <summary>Checks Ed25519 signatures (RFC 8032) with OpenSSL, which .NET on Linux loads anyway: .NET 10 has no Ed25519 of its own.</summary>
internal static partial class Ed25519
{
    public const int KeyLength = 32;
    private const string LibraryName = "libcrypto";
    private const int SignatureLength = 64, KeyType = 1087;

    // The names .NET looks for, too. Without a version macOS would find a system library that ends the process.
    private static readonly string[] FileNames = ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib", "libcrypto.1.1.dylib"];

    static Ed25519() => NativeLibrary.SetDllImportResolver(typeof(Ed25519).Assembly, (name, _, _) => name == LibraryName ? Library : 0);

    /// <summary>OpenSSL; 0 where there is none.</summary>
    public static nint Library { get; } = Load();

    /// <summary>Whether signatures can be checked here. OpenSSL can since 1.1.1.</summary>
    public static bool IsAvailable { get; } = Library != 0 && NativeLibrary.TryGetExport(Library, "EVP_DigestVerify", out _);

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!IsAvailable || publicKey.Length != KeyLength || signature.Length != SignatureLength) return false;
        using var key = NewPublicKey(KeyType, 0, publicKey, (nuint)publicKey.Length);
        using var context = NewContext();
        var isRight = !key.IsInvalid && !context.IsInvalid && BeginVerify(context, 0, 0, 0, key) == 1
            && Verify(context, signature, (nuint)signature.Length, data, (nuint)data.Length) == 1;
        // A failure stays with the thread, and the next user of OpenSSL on it could take it for its own.
        if (!isRight) ClearErrors();
        return isRight;
    }

    private static nint Load()
    {
        foreach (var name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, out var library)) return library;
        }
        return 0;
    }

    [LibraryImport(LibraryName, EntryPoint = "EVP_PKEY_new_raw_public_key")]
    private static partial KeyHandle NewPublicKey(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(LibraryName, EntryPoint = "EVP_PKEY_free")]
    private static partial void FreeKey(nint key);

    [LibraryImport(LibraryName, EntryPoint = "EVP_MD_CTX_new")]
    private static partial ContextHandle NewContext();

    [LibraryImport(LibraryName, EntryPoint = "EVP_MD_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(LibraryName, EntryPoint = "EVP_DigestVerifyInit")]
    private static partial int BeginVerify(ContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(LibraryName, EntryPoint = "EVP_DigestVerify")]
    private static partial int Verify(ContextHandle context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> data, nuint dataLength);

    [LibraryImport(LibraryName, EntryPoint = "ERR_clear_error")]
    private static partial void ClearErrors();

    private sealed class KeyHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeKey(handle);
            return true;
        }
    }

    private sealed class ContextHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeContext(handle);
            return true;
        }
    }
}
