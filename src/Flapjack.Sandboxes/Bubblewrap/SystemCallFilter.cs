using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Flapjack.Sandboxes.Bubblewrap;

/// <summary>System calls that isolated processes are refused: those that broke out of sandboxes before, and those that only administrators need. A program for the kernel's filter.</summary>
internal static class SystemCallFilter
{
    private const uint Allow = 0x7FFF0000, Refuse = 0x00050000 | 1, NotThere = 0x00050000 | 38;
    private const uint NewUser = 0x10000000;
    private const ushort Load = 0x20, IfEqual = 0x15, IfAtLeast = 0x35, IfAnyBit = 0x45, Return = 0x06;

    // New calls have the same number everywhere: io_uring, the newer ways to mount.
    private static readonly uint[] Everywhere = [425, 426, 427, 428, 429, 430, 431, 432, 433, 442];
    private const uint Clone3 = 435;

    // Each in this order: add_key, request_key, keyctl, ptrace, process_vm_readv, process_vm_writev, kcmp, bpf, perf_event_open, userfaultfd, unshare, setns, mount, umount2, pivot_root, chroot,
    // kexec_load, kexec_file_load, init_module, finit_module, delete_module, open_by_handle_at, name_to_handle_at, acct, swapon, swapoff, reboot, settimeofday, clock_settime, clock_adjtime, adjtimex,
    // quotactl, syslog, move_pages, migrate_pages, vhangup.
    private static readonly uint[] X64 =
    [
        248, 249, 250, 101, 310, 311, 312, 321, 298, 323, 272, 308, 165, 166, 155, 161,
        246, 320, 175, 313, 176, 304, 303, 163, 167, 168, 169, 164, 227, 305, 159,
        179, 103, 279, 256, 153,
    ];

    private static readonly uint[] Arm64 =
    [
        217, 218, 219, 117, 270, 271, 272, 280, 241, 282, 97, 268, 40, 39, 41, 51,
        104, 294, 105, 273, 106, 265, 264, 89, 224, 225, 142, 170, 112, 266, 171,
        60, 116, 239, 238, 58,
    ];

    /// <summary>Null on machines whose numbers are not known here.</summary>
    public static byte[]? Program => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Of(0xC000003E, 56, [.. X64, .. Everywhere], hasX32: true),
        Architecture.Arm64 => Of(0xC00000B7, 220, [.. Arm64, .. Everywhere], hasX32: false),
        _ => null,
    };

    private static byte[] Of(uint machine, uint clone, uint[] refused, bool hasX32)
    {
        var code = new List<byte>();
        // Calls of another machine, 32-bit ones above all, have other numbers.
        Add(Load, 0, 0, 4);
        Add(IfEqual, 1, 0, machine);
        Add(Return, 0, 0, Refuse);
        Add(Load, 0, 0, 0);
        if (hasX32)
        {
            Add(IfAtLeast, 0, 1, 0x40000000);
            Add(Return, 0, 0, NotThere);
        }
        foreach (var call in refused)
        {
            Add(IfEqual, 0, 1, call);
            Add(Return, 0, 0, Refuse);
        }
        // Its flags lie in memory, where a filter cannot look; programs then take the older call.
        Add(IfEqual, 0, 1, Clone3);
        Add(Return, 0, 0, NotThere);
        Add(IfEqual, 0, 3, clone);
        Add(Load, 0, 0, 16);
        Add(IfAnyBit, 0, 1, NewUser);
        Add(Return, 0, 0, Refuse);
        Add(Return, 0, 0, Allow);
        return [.. code];

        void Add(ushort operation, byte ifTrue, byte ifFalse, uint value)
        {
            Span<byte> bytes = stackalloc byte[8];
            // In the machine's own order, which is this one on both.
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, operation);
            (bytes[2], bytes[3]) = (ifTrue, ifFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], value);
            code.AddRange(bytes);
        }
    }
}
