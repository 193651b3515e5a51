using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Hashes and checks passwords: PBKDF2-HMAC-SHA-512 by ASP.NET Core Identity's hasher. Few at a time, so that a flood of logins leaves processor time for streams.</summary>
internal sealed class Passwords(IOptions<PasswordHasherOptions> options) : IDisposable
{
    public const int Iterations = 210_000;
    public const string LengthRule = "must have 10 to 200 characters";

    private readonly PasswordHasher<User> _hasher = new(options);
    private readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string _nobody = NobodysHash(options.Value.IterationCount);

    public static bool IsLongEnough(string password) => password.Length is >= 10 and <= 200;

    public string Hash(string password) => _hasher.HashPassword(null!, password);

    /// <summary>Waits for a turn to check a password in.</summary>
    public async Task<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        return new(this);
    }

    public void Dispose() => _turns.Dispose();

    // No password has this hash; checking against it takes as long as against a real one, so that time does not tell which accounts exist.
    private static string NobodysHash(int iterations)
    {
        var hash = new byte[13 + 16 + 32];
        RandomNumberGenerator.Fill(hash);
        hash[0] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(1), 2);
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(5), (uint)iterations);
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(9), 16);
        return Convert.ToBase64String(hash);
    }

    /// <summary>The right to spend processor time on one check.</summary>
    internal readonly struct Turn(Passwords passwords) : IDisposable
    {
        /// <summary>True when the password is the user's; false at the same cost for users without a password and for nobody.</summary>
        public bool Verify(User? user, string password)
        {
            var result = passwords._hasher.VerifyHashedPassword(null!, user?.PasswordHash ?? passwords._nobody, password);
            if (user?.PasswordHash is null || result == PasswordVerificationResult.Failed) return false;
            if (result == PasswordVerificationResult.SuccessRehashNeeded) user.PasswordHash = passwords.Hash(password);
            return true;
        }

        public void Dispose() => passwords._turns.Release();
    }
}
