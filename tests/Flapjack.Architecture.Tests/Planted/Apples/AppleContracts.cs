namespace Flapjack.Architecture.Tests.Planted.Apples;

internal sealed record AppleResponse(Guid Id, string A, string B, string C, string D, string E, string F);
