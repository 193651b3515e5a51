FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish src/Flapjack.Server -c Release -o /app -v quiet

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# Documents are read by processes of their own (docs/sandbox.md).
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap poppler-utils && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
# A new named volume takes its owner from this folder; a mounted host folder must belong to user 1654.
RUN mkdir /data && chown "$APP_UID" /data
VOLUME /data
# The base image's own port setting gives way to ours.
ENV DataDirectory=/data ASPNETCORE_URLS=http://+:3000 ASPNETCORE_HTTP_PORTS=
EXPOSE 3000
USER $APP_UID
# SIGTERM drains: running turns finish or are stored for the next start. Give it 30 s (docker stop -t 30).
STOPSIGNAL SIGTERM
# The image has no curl; bash speaks TCP.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3000 && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "Flapjack.Server.dll"]
